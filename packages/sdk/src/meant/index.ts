import type {AtomContext} from '../context.ts'
import {AtomError, isAtomError, optionsOf} from '../errors.ts'
import {parseWorkflowId} from '../packages/reference.ts'
import {nearestExecution, nearestWorkflow} from './nearest.ts'

/** Milliseconds that finding out what was meant may take: the answer is known, and it is an error. */
const PATIENCE = 1500
const MOST = 1000

/**
 * The error of a workflow or execution that a service does not know, its hint naming the one that was probably meant;
 * any other error as it is. Asks once for what there is, not for long, and keeps every failure of that to itself.
 */
export async function withMeant(failure: unknown, context: AtomContext): Promise<unknown> {
  if (!isAtomError(failure) || failure.code !== 'NOT_FOUND') return failure
  const hint = await meant(failure.details ?? {}, context).catch(() => undefined)
  return hint === undefined ? failure : new AtomError(failure.code, failure.message, {...optionsOf(failure), hint})
}

async function meant(details: Readonly<Record<string, unknown>>, context: AtomContext): Promise<string | undefined> {
  const {workflow_id: workflow, execution_id: execution} = details
  if (typeof workflow === 'string') {
    const {workflows} = await (await context.registry({patience: PATIENCE})).list({limit: MOST})
    return asked(
      nearestWorkflow(
        workflow,
        workflows.map(({id}) => id),
      ),
    )
  }
  if (typeof execution !== 'string') return undefined
  if (parseWorkflowId(execution))
    return `that names a workflow; its executions: atomctl executions --workflow ${execution}`
  const {executions} = await (await context.runtime({patience: PATIENCE})).list({limit: MOST})
  return asked(
    nearestExecution(
      execution,
      executions.map(({execution_id: id}) => id),
    ),
  )
}

const asked = (name: string | undefined): string | undefined =>
  name === undefined ? undefined : `did you mean ${name}?`

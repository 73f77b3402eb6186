import {hash, randomUUID} from 'node:crypto'
import type {VerifiedPackage} from '@atomctl/sdk/enforcement'
import {AtomError, describeFailure} from '@atomctl/sdk/errors'
import {type ExecutionOutcome, startExecution} from '@atomctl/sdk/execution'
import {isNotStarted, type RuntimeClient} from '@atomctl/sdk/runtime'
import {canonicalJson, type JsonObject} from '@atomctl/wpk/canonical'
import type {Memory} from './queue.ts'

/**
 * Starts the execution of a package, once for the whole batch: the key under which the runtime knows it again is noted
 * before anything is sent, so that a batch that is killed and resumed asks for the same execution and not for another.
 * Other parameters are another execution.
 * @throws CONFLICT when an earlier run may have started it and the runtime cannot tell; what starting throws
 */
export async function startOnce(
  runtime: RuntimeClient,
  subject: VerifiedPackage,
  request: {parameters: JsonObject; dryRun: boolean},
  memory: Pick<Memory, 'attempt' | 'begin' | 'remember'>,
): Promise<ExecutionOutcome> {
  if (memory.attempt !== undefined && !(await runtime.supports('idempotency-key'))) throw maybeStarted(subject)
  const attempt = memory.attempt ?? randomUUID()
  memory.begin(attempt)
  const digest = hash('sha256', canonicalJson(request.parameters)).slice(0, 16)
  return startExecution(runtime, subject, {...request, idempotencyKey: `${attempt}-${digest}`}).catch(
    (error: unknown) => {
      if (isNotStarted(error)) memory.remember('')
      throw describeFailure('Execution failed to start', error)
    },
  )
}

function maybeStarted({verified}: VerifiedPackage): AtomError {
  return new AtomError('CONFLICT', `${verified.document.id} may have been started by the run that was cut off`, {
    hint: 'look at its effects, then run it by itself: this runtime cannot tell a repetition from a new run',
  })
}

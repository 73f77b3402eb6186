import type {Approval} from '@atomctl/protocol/runtime'
import type {VerifiedPackage} from '../enforcement.ts'
import type {RuntimeClient} from '../runtime/index.ts'
import type {JsonObject} from '@atomctl/wpk/canonical'
import type {ExecutionOutcome} from './outcome.ts'

/** Hands a verified package to the runtime. What came from the registry is passed on exactly as it wrote it. */
export async function startExecution(
  runtime: RuntimeClient,
  subject: VerifiedPackage,
  request: {parameters: JsonObject; dryRun: boolean; breakGlass?: string | undefined; idempotencyKey?: string},
): Promise<ExecutionOutcome> {
  const {parameters, dryRun, breakGlass, idempotencyKey} = request
  const workflowId = subject.origin === 'registry' ? subject.id : subject.verified.document.id
  const {executionId, approval} = await runtime.execute(subject.verified, {
    workflowId,
    ...(subject.origin === 'registry' ? {contentText: subject.contentText} : {}),
    parameters,
    dryRun,
    breakGlass,
    idempotencyKey,
    packageFiles: subject.verified.verification.files.length > 0,
  })
  return outcomeOf({execution_id: executionId, workflow_id: workflowId, dry_run: dryRun}, approval)
}

/** Carries an ended execution on, in a new one. */
export async function retryExecution(
  runtime: RuntimeClient,
  id: string,
  from: string | undefined,
): Promise<ExecutionOutcome> {
  const {execution_id, approval} = await runtime.retry(id, from)
  const {workflow_id = ''} = await runtime.status(execution_id)
  return outcomeOf({execution_id, workflow_id, dry_run: false, retry_of: id}, approval)
}

type Started = Pick<ExecutionOutcome, 'execution_id' | 'workflow_id' | 'dry_run' | 'retry_of'>

function outcomeOf(started: Started, approval: Approval | null | undefined): ExecutionOutcome {
  if (!approval) return {...started, status: 'started'}
  const {document_digest, parameters_digest} = approval
  return {...started, status: 'pending', approval, document_digest, parameters_digest}
}

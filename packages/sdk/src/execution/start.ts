import type {VerifiedPackage} from '../enforcement.ts'
import type {RuntimeClient} from '../runtime/index.ts'
import type {JsonObject} from '@atomctl/wpk/canonical'
import type {ExecutionOutcome} from './outcome.ts'

/** Hands a verified package to the runtime. What came from the registry is passed on exactly as it wrote it. */
export async function startExecution(
  runtime: RuntimeClient,
  subject: VerifiedPackage,
  {parameters, dryRun}: {parameters: JsonObject; dryRun: boolean},
): Promise<ExecutionOutcome> {
  const workflowId = subject.origin === 'registry' ? subject.id : subject.verified.document.id
  const {executionId} = await runtime.execute(subject.verified, {
    workflowId,
    ...(subject.origin === 'registry' ? {contentText: subject.contentText} : {}),
    parameters,
    dryRun,
    packageFiles: subject.verified.verification.files.length > 0,
  })
  return {execution_id: executionId, workflow_id: workflowId, status: 'started', dry_run: dryRun}
}

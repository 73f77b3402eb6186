export {createRuntimeClient, type RuntimeClient, type RuntimeOptions} from './client.ts'
export type {ExecuteRequest, StartedExecution} from './execute.ts'
export type {ExecutionPage, LogLine} from './executions.ts'
export type {FollowOptions} from './follow.ts'

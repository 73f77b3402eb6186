/**
 * The one way in for `atomctl test`: the interpreter of the runtime without its server, engine and database, and
 * without anything that could run a handler.
 */
export type {RehearsedDecision} from './approval.ts'
export {type RehearsedCall} from './calls.ts'
export type {RehearsedLine, RehearsedStep} from './progress.ts'
export {rehearse, type Rehearsal, type RehearsalRequest, type RehearsalStatus} from './rehearse.ts'
export type {Mocked, RecordedCall, Script} from './stand-in.ts'

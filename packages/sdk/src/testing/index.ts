export {type AtomDouble, type AtomDoubleOptions, type RecordedCall, startAtomDouble} from './atom-double.ts'
export type {FrameworkVersion} from './double/framework.ts'
export * from './fault-server.ts'

export {expandFiles} from './expand.ts'
export {inputFailure, readHead, readInput, streamOf} from './read.ts'
export {writeFailure, writeFileSafely, type WriteOptions} from './write.ts'

export {type ExecutionOutcome, outcomeError} from './outcome.ts'
export {gatherParameters, type ParameterFlags} from './parameters.ts'
export {startExecution} from './start.ts'
export {waitForExecution, type WaitOptions} from './wait.ts'

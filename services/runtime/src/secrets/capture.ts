import type {HeadAndTail, LineSplitter} from '../process/output.ts'
import type {ByteFilter} from './redactor.ts'
import type {StepSecrets} from './step.ts'

export type {ByteFilter} from './redactor.ts'

/** One stream of a program: secrets leave the bytes themselves, before lines are cut and the middle is left out. */
export function capture(lines: LineSplitter, output: HeadAndTail, secrets: StepSecrets): ByteFilter {
  const filter = secrets.filter((chunk) => {
    lines.push(chunk)
    output.push(chunk)
  })
  return {
    push: (chunk) => filter.push(chunk),
    end: (wasCut) => {
      filter.end(wasCut)
      lines.end()
    },
  }
}

import {atomctl, type Benchmark, formatMilliseconds, median, runProcess} from './measure.ts'
import {writePackages} from './packages.ts'
import {Sandbox} from './sandbox.ts'

/** The Python CLI's measured baseline: one process a file, 0.136 s median on two cores (100 files: 13.6 s). */
const BASELINE_SECONDS = 0.136

/** `validate` of a folder in one process. */
export const manyFiles: Benchmark = async ({smoke}) => {
  await using sandbox = new Sandbox()
  const count = smoke ? 100 : 1000
  const folder = sandbox.path('packages')
  writePackages(folder, count)
  const times: number[] = []
  for (let round = 0; round < (smoke ? 1 : 5); round += 1) {
    times.push((await runProcess(atomctl('validate', folder, '-q'), {env: sandbox.env})).milliseconds)
  }
  const time = median(times)
  const rate = count / (time / 1000)
  const ratio = rate * BASELINE_SECONDS
  return [
    {
      claim: `validate of ${count} files in one process, against the Python CLI's measured baseline`,
      measured: `${ratio.toFixed(0)}× (${rate.toFixed(0)} files/s; ${formatMilliseconds(time)})`,
      aim: '≥ 50×',
      met: ratio >= 50,
    },
  ]
}

import {writeFileSync} from 'node:fs'
import {atomctl, type Benchmark, formatMilliseconds, interleave, type Row, runProcess} from './measure.ts'
import {packageText} from './packages.ts'
import {Sandbox} from './sandbox.ts'

/** Whole processes against `node -e 0`: what a command costs over the runtime it needs. */
export const startup: Benchmark = async ({smoke}) => {
  await using sandbox = new Sandbox()
  const {env} = sandbox
  const file = sandbox.path('one.wpk.yaml')
  writeFileSync(file, packageText('one'))
  const medians = await interleave(smoke ? 3 : 25, {
    node: () => runProcess(['-e', '0'], {env}),
    version: () => runProcess(atomctl('--version'), {env}),
    validate: () => runProcess(atomctl('validate', file), {env}),
  })
  return [ratioRow('--version', 1.5, medians, 'version'), ratioRow('validate of one file', 3, medians, 'validate')]
}

/** One program's median against that of `node`. */
export function ratioRow(claim: string, limit: number, medians: ReadonlyMap<string, number>, name: string): Row {
  const bare = medians.get('node') ?? Number.NaN
  const time = medians.get(name) ?? Number.NaN
  const ratio = time / bare
  const measured = `${ratio.toFixed(2)}× (${formatMilliseconds(time)}; node -e 0: ${formatMilliseconds(bare)})`
  return {claim: `${claim}, against node -e 0`, measured, aim: `≤ ${limit}×`, met: ratio <= limit}
}

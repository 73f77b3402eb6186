import {writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {stageClient} from '../scripts/dist/stage.ts'
import {stageStandalone} from '../scripts/dist/standalone.ts'
import {TARGETS} from '../scripts/dist/targets.ts'
import {type Benchmark, interleave, runProgram} from './measure.ts'
import {packageText} from './packages.ts'
import {Sandbox} from './sandbox.ts'
import {ratioRow} from './startup.ts'

/**
 * The same of what the archive with Node inside unpacks to, launcher included, against its own Node. Nothing where no
 * archive is made for this machine.
 */
export const standalone: Benchmark = async ({smoke}) => {
  await using sandbox = new Sandbox()
  const folder = stageArchive(sandbox)
  if (folder === undefined) return []
  const file = sandbox.path('one.wpk.yaml')
  writeFileSync(file, packageText('one'))
  const [node, atomctl] = ['node', 'atomctl'].map((name) => join(folder, name)) as [string, string]
  const options = {env: {...sandbox.env, PATH: '/usr/bin:/bin'}}
  const medians = await interleave(smoke ? 3 : 25, {
    node: () => runProgram(node, ['-e', '0'], options),
    version: () => runProgram(atomctl, ['--version'], options),
    validate: () => runProgram(atomctl, ['validate', file], options),
  })
  return [
    ratioRow('--version of the archive', 1.5, medians, 'version'),
    ratioRow('validate of one file by the archive', 2.5, medians, 'validate'),
  ]
}

/** Lays out what the archive for this machine unpacks to; the folder of its programs, undefined where none is made. */
export function stageArchive(sandbox: Sandbox): string | undefined {
  const target = TARGETS.find(({name, usual}) => usual && name === `${process.platform}-${process.arch}`)
  if (!target) return undefined
  const folder = sandbox.path('atomctl')
  stageClient()
  stageStandalone(folder, target, 'standalone')
  return join(folder, 'bin')
}

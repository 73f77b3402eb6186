import {existsSync, writeFileSync} from 'node:fs'
import {delimiter, join} from 'node:path'
import {ROOT} from '../scripts/rooms.ts'
import {
  atomctl,
  type Benchmark,
  formatMilliseconds,
  interleave,
  type ProcessResult,
  type Row,
  runProcess,
  runProgram,
} from './measure.ts'
import {packageText} from './packages.ts'
import {Sandbox} from './sandbox.ts'
import {stageArchive} from './standalone.ts'

const NO_SERVICES = JSON.stringify({mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json'})

/** Whole processes against cosign on the same machine, with the same key: verifying and signing. */
export const signatures: Benchmark = async ({smoke}) => {
  const cosign = findCosign()
  if (cosign === undefined) {
    process.stderr.write('bench: no cosign (scripts/install-peers.sh installs it): signatures are left out\n')
    return []
  }
  await using sandbox = new Sandbox()
  const options = {cwd: sandbox.home, env: sandbox.env}
  writeFileSync(sandbox.path('signed.wpk.yaml'), packageText('signed'))
  writeFileSync(sandbox.path('unsigned.wpk.yaml'), packageText('unsigned'))
  writeFileSync(sandbox.path('no-services.json'), NO_SERVICES)
  const archive = stageArchive(sandbox)
  const ours =
    (...words: string[]) =>
    (): Promise<ProcessResult> =>
      runProcess(atomctl(...words), options)
  const program =
    (file: string, ...words: string[]) =>
    (): Promise<ProcessResult> =>
      runProgram(file, words, options)
  const theirs = (...words: string[]): (() => Promise<ProcessResult>) => program(cosign, ...words)
  const signBlob = (bundle: string): string[] => {
    return ['sign-blob', '--yes', '--key', 'cosign.key', '--signing-config', 'no-services.json', '--bundle', bundle]
  }
  await sandbox.run('keys', 'generate', '--trust')
  await sandbox.run('sign', 'signed.wpk.yaml')
  await runProgram(cosign, [...signBlob('blob.json'), 'signed.wpk.yaml'], options)
  const blob = ['--key', 'cosign.pub', '--bundle', 'blob.json', 'signed.wpk.yaml']
  const medians = await interleave(smoke ? 3 : 25, {
    verify: ours('verify', 'signed.wpk.yaml'),
    'verify --key': ours('verify', 'signed.wpk.yaml', '--key', 'cosign.pub'),
    'verify --bundle': ours('verify', 'signed.wpk.yaml', '--key', 'cosign.pub', '--bundle', 'blob.json'),
    'cosign verify-blob': theirs('verify-blob', '--insecure-ignore-tlog', ...blob),
    sign: ours('sign', 'unsigned.wpk.yaml'),
    'sign --detached': ours('sign', '--detached', 'signed.wpk.yaml'),
    ...(archive && {'archive: sign': program(join(archive, 'atomctl'), 'sign', 'unsigned.wpk.yaml')}),
    'cosign sign-blob': theirs(...signBlob('again.json'), 'signed.wpk.yaml'),
  })
  return [
    row('verify of a signed package', 2, medians, 'verify', 'cosign verify-blob'),
    row('verify of a signed package by --key', 2, medians, 'verify --key', 'cosign verify-blob'),
    row('verify --bundle of a file', 2, medians, 'verify --bundle', 'cosign verify-blob'),
    row('sign of a package', 1, medians, 'sign', 'cosign sign-blob'),
    row('sign --detached of a file', 1, medians, 'sign --detached', 'cosign sign-blob'),
    ...(archive ? [row('sign of a package by the archive', 1, medians, 'archive: sign', 'cosign sign-blob')] : []),
  ]
}

/** ATOMCTL_COSIGN, the PATH, or what scripts/install-peers.sh installed. */
function findCosign(): string | undefined {
  const named = process.env['ATOMCTL_COSIGN']
  const onPath = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'cosign'))
  const candidates = [...(named ? [named] : []), ...onPath, join(ROOT, '.peers', 'usr', 'bin', 'cosign')]
  return candidates.find((file) => existsSync(file))
}

function row(claim: string, limit: number, medians: ReadonlyMap<string, number>, name: string, peer: string): Row {
  const time = medians.get(name) ?? Number.NaN
  const other = medians.get(peer) ?? Number.NaN
  const ratio = time / other
  const measured = `${ratio.toFixed(2)}× (${formatMilliseconds(time)}; ${formatMilliseconds(other)})`
  return {claim: `${claim}, against ${peer}`, measured, aim: `≤ ${limit}×`, met: ratio <= limit}
}

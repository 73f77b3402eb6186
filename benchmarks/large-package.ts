import {type Benchmark, formatMilliseconds, type ProcessResult, type Row} from './measure.ts'
import {writeLargePackage} from './packages.ts'
import {Sandbox} from './sandbox.ts'

const LIMIT_MEBIBYTES = 100

/** Memory of the client while a large package is packed, verified and pushed, over the memory of an empty Node. */
export const largePackage: Benchmark = async ({smoke}) => {
  await using sandbox = new Sandbox()
  const size = smoke ? 20 : 200
  const tarball = sandbox.path('large-1.0.0.wpk.tar.gz')
  await writeLargePackage(sandbox.path('large'), size)
  await sandbox.run('keys', 'generate', '--trust')
  await sandbox.startServices()
  const bare = await sandbox.measureNode(['-e', '0'])
  const pack = await sandbox.measure('pack', 'large')
  // opening a key in cosign's format takes 64 MiB by itself (scrypt, N=65536, r=8)
  const signed = await sandbox.measure('pack', 'large', '--sign')
  const verify = await sandbox.measure('verify', tarball)
  const push = await sandbox.measure('push', tarball)
  return [
    row('pack', size, pack, bare),
    row('pack --sign', size, signed, bare),
    row('verify', size, verify, bare),
    row('push', size, push, bare),
  ]
}

function row(command: string, size: number, result: ProcessResult, bare: ProcessResult): Row {
  const extra = result.peakMebibytes - bare.peakMebibytes
  const peak = `${result.peakMebibytes.toFixed(0)} MiB; node -e 0: ${bare.peakMebibytes.toFixed(0)} MiB`
  return {
    claim: `${command} of ${size} MiB: client memory over an empty node`,
    measured: `+${extra.toFixed(0)} MiB (${peak}; ${formatMilliseconds(result.milliseconds)})`,
    aim: `≤ +${LIMIT_MEBIBYTES} MiB`,
    met: extra <= LIMIT_MEBIBYTES,
  }
}

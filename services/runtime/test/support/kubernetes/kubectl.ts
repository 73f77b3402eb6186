import {execFileSync} from 'node:child_process'
import {fileURLToPath} from 'node:url'
import {findKubectl} from '../../../src/kubernetes/kubectl.ts'

const PEERS = fileURLToPath(new URL('../../../../../.peers/usr/bin', import.meta.url))
const OLDEST = 32

/** The kubectl that `scripts/install-peers.sh` brings, else one on the PATH; or why there is none to test with. */
export function kubectlForTests(): {file: string} | {missing: string} {
  const file = findKubectl(PEERS) ?? findKubectl(process.env['PATH'])
  if (file === undefined) return {missing: 'there is no kubectl: bash scripts/install-peers.sh'}
  const text = execFileSync(file, ['version', '--client', '--output=json'], {encoding: 'utf8'})
  const {clientVersion} = JSON.parse(text) as {clientVersion: {minor: string}}
  const isOld = Number.parseInt(clientVersion.minor, 10) < OLDEST
  return isOld ? {missing: `${file} is 1.${clientVersion.minor}, older than 1.${OLDEST}`} : {file}
}

/** For the start of a suite; skips it where kubectl is missing, saying so. */
export function requireKubectl(context: Mocha.Context): string {
  const found = kubectlForTests()
  if ('file' in found) return found.file
  console.log(`      ${found.missing}`)
  return context.skip()
}

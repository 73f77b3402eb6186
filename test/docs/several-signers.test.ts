import {execFile} from 'node:child_process'
import {mkdir, readFile, writeFile} from 'node:fs/promises'
import {promisify} from 'node:util'
import {expect} from 'chai'
import {ATOMCTL, createSandbox} from '../support/atomctl.ts'
import {packageText} from '../support/packages.ts'

const run = promisify(execFile)
const page = new URL('../../docs/trust-policy.md', import.meta.url)
const POLICY = `keys: {alice: {file: ../alice.pub}, bob: {file: ../bob.pub}}
rules: [{name: both, threshold: 2, signers: [{keys: [alice, bob]}]}]
`

describe('docs/trust-policy.md, "Several signers", typed as it is written', function () {
  this.timeout(60_000)

  it('is refused after the first signature, which verify names, and accepted after the second', async function () {
    if (process.platform === 'win32') return this.skip()
    const script = /## Several signers[\s\S]*?```sh\n([\s\S]*?)```/.exec(await readFile(page, 'utf8'))?.[1] ?? ''
    await using sandbox = await createSandbox()
    for (const name of ['alice', 'bob'])
      await sandbox.atomctl(['keys', 'generate', '--no-trust', '--output-key-prefix', name])
    await mkdir(sandbox.path('.atomctl'))
    await writeFile(sandbox.path('.atomctl', 'trust-policy.yaml'), POLICY)
    await writeFile(sandbox.path('rotate-secret.wpk.yaml'), packageText({name: 'rotate-secret'}))
    await mkdir(sandbox.path('bin'))
    const shim = `#!/bin/sh\nexec '${process.execPath}' '${ATOMCTL}' "$@"\n`
    await writeFile(sandbox.path('bin', 'atomctl'), shim, {mode: 0o755})
    const env = {
      HOME: sandbox.home,
      PATH: `${sandbox.path('bin')}:${process.env['PATH']}`,
      CI: '1',
      COSIGN_PASSWORD: 'correct horse',
    }
    const type = async (line: string): Promise<{code: number; stderr: string}> =>
      run('sh', ['-c', line], {cwd: sandbox.home, env}).then(
        ({stderr}) => ({code: 0, stderr}),
        ({code, stderr}: {code: number; stderr: string}) => ({code, stderr}),
      )
    const results = []
    for (const line of script.trim().split('\n')) results.push(await type(line))
    expect(
      results.map(({code}) => code),
      results.map(({stderr}) => stderr).join(''),
    ).to.deep.equal([0, 12, 0, 0])
    expect(results[1]?.stderr).to.match(/1 of 2|alice/)
  })
})

import {execFile} from 'node:child_process'
import {copyFile, mkdir, readFile, symlink, writeFile} from 'node:fs/promises'
import {delimiter, join} from 'node:path'
import {promisify} from 'node:util'
import {expect} from 'chai'
import {ATOMCTL, createSandbox} from '../support/atomctl.ts'
import {packageText} from '../support/packages.ts'
import {findCosign} from './cosign.ts'
import {identityToken, startSigstore} from './sigstore/index.ts'

const run = promisify(execFile)

/** The shell blocks of a page, in order, with the headings they stand under. */
function shellBlocks(markdown: string): {heading: string; script: string}[] {
  let heading = ''
  return [...markdown.matchAll(/^## (.*)$|^```sh\n([\s\S]*?)^```/gm)].flatMap(([, title, script]) => {
    heading = title ?? heading
    return script === undefined ? [] : [{heading, script}]
  })
}

describe('docs/signing.md, typed as it is written', function () {
  this.timeout(120_000)

  it('works from the first command to the last, with a real cosign and a loopback Sigstore', async function () {
    const cosign = findCosign()
    if (cosign === undefined || process.platform === 'win32') return this.skip() // scripts/install-peers.sh
    const blocks = shellBlocks(await readFile(new URL('../../docs/signing.md', import.meta.url), 'utf8'))
    expect(blocks.map(({script}) => script).join(''))
      .to.match(/atomctl/)
      .and.to.match(/cosign/)
    await using sigstore = await startSigstore()
    await using sandbox = await createSandbox()
    await mkdir(sandbox.path('bin'))
    await symlink(cosign, sandbox.path('bin', 'cosign'))
    const shim = `#!/bin/sh\nexec '${process.execPath}' '${ATOMCTL}' "$@"\n`
    await writeFile(sandbox.path('bin', 'atomctl'), shim, {mode: 0o755})
    await writeFile(sandbox.path('hello-shell.wpk.yaml'), packageText({name: 'hello-shell'}))
    await writeFile(sandbox.path('token.jwt'), identityToken())
    await copyFile(sigstore.trustedRoot, sandbox.path('trusted_root.json'))
    await copyFile(sigstore.signingConfigs[2], sandbox.path('signing_config.json'))
    const env = {
      HOME: sandbox.home,
      PATH: [sandbox.path('bin'), process.env['PATH']].join(delimiter),
      COSIGN_PASSWORD: '...',
      CI: '1',
    }
    for (const {heading, script} of blocks) {
      const result = await run('sh', ['-e', '-x', '-c', script], {cwd: sandbox.home, env}).catch(
        (error: unknown) => error,
      )
      const {code = 0, stderr} = result as {code?: number; stderr: string}
      expect(code, `under "${heading}":\n${stderr}`).to.equal(0)
    }
    expect(await readFile(join(sandbox.home, 'hello-shell.wpk.yaml'), 'utf8')).to.contain('sigstore-bundle:v0.3')
  })
})

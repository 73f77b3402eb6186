import {readFileSync} from 'node:fs'
import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {expect} from 'chai'
import {ROOT} from '../../scripts/rooms.ts'
import {createSandbox, type Sandbox} from '../support/atomctl.ts'

const PAGE = readFileSync(join(ROOT, 'docs', 'testing.md'), 'utf8')

/** The code blocks that begin with the name of a file. */
const FILES = [...PAGE.matchAll(/```yaml\n# (\S+\.yaml)\n([\s\S]*?)```/g)].map(([, name = '', text = '']) => ({
  name,
  text,
}))

describe('docs/testing.md', function () {
  this.timeout(60_000)
  let sandbox: Sandbox
  before(async () => {
    sandbox = await createSandbox()
    for (const {name, text} of FILES) await writeFile(sandbox.path(name), text)
  })
  after(() => sandbox[Symbol.asyncDispose]())

  it('shows a package that validates', async () => {
    const {code, stdout} = await sandbox.atomctl(['validate', 'restart-web.wpk.yaml', '--strict'])
    expect(code, stdout).to.equal(0)
  })

  it('shows what its example prints', async () => {
    const shown = /```console\n\$ atomctl test\n([\s\S]*?)```/.exec(PAGE)?.[1] ?? ''
    const {stdout, code} = await sandbox.atomctl(['test'])
    const withoutTime = (text: string): string => text.replace(/in \d+\.\d s/, 'in … s').trim()
    expect(withoutTime(stdout)).to.equal(withoutTime(shown))
    expect(code).to.equal(0)
  })

  it('has an example that stands up to every step failing', async () => {
    const {stdout, code} = await sandbox.atomctl(['test', '--fail-each-step', '--min-coverage', '100'])
    expect(code, stdout).to.equal(0)
    expect(stdout).to.include('8 passed, 0 failed')
  })
})

import {execFileSync} from 'node:child_process'
import {mkdtempSync, rmSync, symlinkSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {expect} from 'chai'
import {readOutputFile} from '../../src/handlers/outputs.ts'
import {Redactor} from '../../src/secrets/redactor.ts'
import {StepSecrets} from '../../src/secrets/step.ts'

describe('the file that outputs are read from', () => {
  let directory: string
  let file: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'outputs-'))
    file = join(directory, 'output')
  })
  afterEach(() => rmSync(directory, {recursive: true}))

  it('holds lines of name=value, and values may hold equal signs', async () => {
    writeFileSync(file, 'a=1\n\nb=x=y\n')
    expect(await readOutputFile(file)).to.deep.equal({values: {a: '1', b: 'x=y'}})
  })

  it('may be missing', async () => {
    expect(await readOutputFile(file)).to.deep.equal({values: {}})
  })

  it('is not waited for when it became a pipe that nobody writes to', async () => {
    execFileSync('mkfifo', [file])
    expect(await readOutputFile(file)).to.deep.equal({values: {}})
  })

  it('is not read when it became a link to a file of the runtime', async () => {
    writeFileSync(join(directory, 'secret'), 'password=hunter2\n')
    symlinkSync(join(directory, 'secret'), file)
    expect(await readOutputFile(file)).to.deep.equal({values: {}})
  })

  it('is refused when it is too large, and names what is wrong with a line', async () => {
    writeFileSync(file, `a=${'x'.repeat(70_000)}`)
    expect((await readOutputFile(file)).problem).to.contain('larger than')
    const secrets = new StepSecrets({}, new Redactor(['canary'.repeat(100)]))
    writeFileSync(file, `a=${'canary'.repeat(11_000)}`)
    expect(await readOutputFile(file, secrets), 'the limit may cut a secret').to.deep.include({values: {}})
    for (const [line, problem] of [
      ['nothing', /is not name=value/],
      ['PATH=/evil', /reserved/],
      ['1a=x', /does not start with/],
    ] as const) {
      writeFileSync(file, line)
      expect((await readOutputFile(file)).problem).to.match(problem)
    }
  })
})

import {mkdir, readdir, readFile, writeFile} from 'node:fs/promises'
import {expect} from 'chai'
import {createSandbox, type RunResult, type Sandbox} from '../../../test/support/atomctl.ts'
import {packageText, trustOwnKey} from '../../../test/support/packages.ts'
import {startServices, stopServices} from '../../../test/support/services.ts'

interface Report {
  data: {
    items: {subject: string; status: string; note?: string; error?: {code: string}}[]
    totals: Record<string, number>
  }
}

describe('batch', function () {
  this.timeout(120_000)
  let sandbox: Sandbox
  before(async () => {
    sandbox = await createSandbox()
    await trustOwnKey(sandbox)
    await startServices(sandbox)
  })
  after(async () => {
    await stopServices(sandbox)
    await sandbox[Symbol.asyncDispose]()
  })

  const batch = (...args: string[]): Promise<RunResult> => sandbox.atomctl(['batch', ...args])
  const reportOf = ({stdout}: RunResult): Report['data'] => (JSON.parse(stdout) as Report).data

  /** A directory of packages `NAME-0`, `NAME-1`, … */
  async function write(name: string, count: number): Promise<string> {
    await mkdir(sandbox.path(name), {recursive: true})
    for (let index = 0; index < count; index++) {
      const text = packageText({name: `${name}-${index}`, command: 'echo "hello from $PWD"'})
      await writeFile(sandbox.path(name, `${name}-${index}.wpk.yaml`), text)
    }
    return name
  }

  it('takes packages from files to the registry and to their execution, and does nothing twice on --resume', async () => {
    const name = await write('whole', 6)
    for (const [operation, ...flags] of [
      ['validate'],
      ['lint'],
      ['sign'],
      ['verify'],
      ['pack', '--out-dir', 'whole-dist', '--sign'],
      ['push'],
      ['run', '--wait'],
    ] as const) {
      const first = reportOf(await batch(operation, name, ...flags, '-o', 'json'))
      expect(first.totals, operation).to.deep.equal({items: 6, ok: 6, failed: 0, waiting: 0, skipped: 0, not_run: 0})
      const again = reportOf(await batch(operation, name, ...flags, '-o', 'json', '--resume'))
      expect(again.totals, `${operation} again`).to.deep.equal({
        items: 6,
        ok: 0,
        failed: 0,
        waiting: 0,
        skipped: 6,
        not_run: 0,
      })
    }
    expect(await readdir(sandbox.path('whole-dist'))).to.have.length(12)
    const listed = await sandbox.atomctl(['executions', '-o', 'name'])
    expect(listed.stdout.trim().split('\n')).to.have.length(6)
  })

  it('pushes without loss, and again as no change', async () => {
    const name = await write('many', 40)
    expect((await batch('sign', name)).code).to.equal(0)
    const first = reportOf(await batch('push', name, '-c', '8', '-o', 'json'))
    expect(first.items.map(({note}) => note)).to.deep.equal(Array.from({length: 40}, () => 'pushed'))
    const again = reportOf(await batch('push', name, '-c', '8', '-o', 'json'))
    expect(again.items.map(({note}) => note)).to.deep.equal(Array.from({length: 40}, () => 'unchanged'))
    const ids = (await sandbox.atomctl(['list', '--all', '-o', 'name'])).stdout.split('\n')
    for (let index = 0; index < 40; index++) expect(ids).to.include(`many-${index}-1.0.0`)
  })

  it('refuses unsigned and tampered packages one by one, sends nothing of them, and exits with the gravest', async () => {
    const name = await write('mixed', 4)
    const file = (index: number): string => sandbox.path(name, `${name}-${index}.wpk.yaml`)
    expect((await batch('sign', file(0), file(1))).code).to.equal(0)
    await writeFile(file(1), (await readFile(file(1), 'utf8')).replace('A test', 'Another'))
    await writeFile(file(3), 'kind: x\n')
    for (const operation of ['push', 'run', 'verify']) {
      const result = await batch(operation, name, '-o', 'json')
      expect(result.code, operation).to.equal(11)
      const codes = reportOf(result).items.map(({status, error}) => error?.code ?? status)
      expect(codes).to.deep.equal(['ok', 'WPK_TAMPERED', 'WPK_UNSIGNED', 'WPK_INVALID'])
    }
    const ids = (await sandbox.atomctl(['list', '--all', '-o', 'name'])).stdout.split('\n')
    expect(ids.filter((id) => id.startsWith('mixed-'))).to.deep.equal(['mixed-0-1.0.0'])
  })

  it('trusts nobody more than the single commands do', async () => {
    const name = await write('stranger', 2)
    expect((await batch('sign', name)).code).to.equal(0)
    await writeFile(sandbox.path('nobody.yaml'), 'default:\n  level: strict\n')
    await writeFile(sandbox.path('broken.yaml'), 'default: [\n')
    for (const operation of ['push', 'run', 'verify']) {
      expect((await batch(operation, name, '--trust-policy', 'nobody.yaml')).code, operation).to.equal(12)
      for (const policy of ['broken.yaml', 'missing.yaml']) {
        expect((await batch(operation, name, '--trust-policy', policy)).code, policy).to.be.oneOf([2, 5])
      }
    }
    const {stdout} = await sandbox.atomctl(['list', '--all', '-o', 'name'])
    expect(stdout).not.to.contain('stranger-')
  })

  it('asks for the name of a protected context', async () => {
    const name = await write('careful', 1)
    await sandbox.atomctl(['context', 'create', 'prod', '--registry-url', 'http://127.0.0.1:9', '--protected'])
    for (const operation of ['push', 'run']) {
      const {code, stderr} = await batch(operation, name, '--context', 'prod')
      expect(code, operation).to.equal(2)
      expect(stderr).to.contain('--confirm prod')
    }
  })

  it('takes a list on standard input and a manifest with parameters', async () => {
    const name = await write('listed', 2)
    const listed = await sandbox.atomctl(['batch', 'validate', '-', '-o', 'name'], {
      input: `${name}/${name}-1.wpk.yaml\n\n${name}/${name}-0.wpk.yaml\n`,
    })
    expect(listed.stdout).to.equal('listed-1-1.0.0\nlisted-0-1.0.0\n')
    expect((await batch('sign', name)).code).to.equal(0)
    const packages = [`{path: ${name}/${name}-0.wpk.yaml, parameters: {who: Ada}}`, `${name}/${name}-1.wpk.yaml`]
    await writeFile(sandbox.path('list.yaml'), `packages:\n${packages.map((one) => `  - ${one}\n`).join('')}`)
    const {code, stdout} = await batch('run', '--manifest', 'list.yaml', '--wait', '--dry-run', '--timeout', '1m')
    expect(code, stdout).to.equal(0)
    expect(stdout.match(/completed/g)).to.have.length(2)
  })

  it('reports in the formats of CI systems, with the same exit code', async () => {
    const name = await write('formats', 1)
    await writeFile(sandbox.path(name, 'bad.wpk.yaml'), 'kind: x\n')
    const expected = {
      sarif: /"ruleId": "schema_required"/,
      junit: /<testsuite name="atomctl batch validate" tests="2" failures="1"/,
      markdown: /2 packages: 1 ok, 1 failed/,
      table: /failed {2}formats\/bad\.wpk\.yaml/,
      ndjson: /"status":"failed"/,
    }
    for (const [format, text] of Object.entries(expected)) {
      const {code, stdout} = await batch('validate', name, '-o', format)
      expect(code, format).to.equal(3)
      expect(stdout).to.match(text)
    }
  })

  it('checks many files in threads as it checks few, with --fail-fast too', async () => {
    const name = await write('threads', 260)
    await writeFile(sandbox.path(name, 'threads-100.wpk.yaml'), 'kind: x\n')
    const threads = reportOf(await batch('validate', name, '-c', '2', '-o', 'json'))
    const alone = reportOf(await batch('validate', name, '-c', '1', '-o', 'json'))
    const outcome = ({items}: Report['data']) => items.map(({subject, status}) => [subject, status])
    expect(outcome(threads)).to.deep.equal(outcome(alone))
    expect(threads.totals).to.include({ok: 259, failed: 1})
    const fast = reportOf(await batch('validate', name, '-c', '2', '-o', 'json', '--fail-fast'))
    expect(fast.totals['not_run']).to.be.greaterThan(0)
  })

  it('does not let two packages become one tarball', async () => {
    const name = await write('twins', 1)
    await writeFile(sandbox.path(name, 'copy.wpk.yaml'), packageText({name: 'twins-0'}))
    const {code, stdout} = await batch('pack', name, '--out-dir', 'twins-dist')
    expect(code).to.equal(7)
    expect(stdout).to.contain('CONFLICT')
  })

  it('refuses what it cannot understand before it begins', async () => {
    const name = await write('usage', 1)
    const wrong: [args: string[], code: number][] = [
      [['validate'], 2],
      [['validate', 'nothing-here'], 2],
      [['validate', name, '--fail-fast', '--continue-on-error'], 2],
      [['validate', name, '-c', '0'], 2],
      [['push', name, '--rate', 'fast'], 2],
      [['run', name, '--wait', '--timeout', 'soon'], 2],
      [['sign', name, '--key', 'missing.key'], 2],
      [['sign', name, '--registry', 'nowhere'], 2],
      [['validate', name, '--manifest', 'missing.yaml'], 2],
    ]
    for (const [args, code] of wrong) expect((await batch(...args)).code, args.join(' ')).to.equal(code)
  })
})

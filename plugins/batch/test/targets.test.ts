import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {isAtomError} from '@atomctl/sdk/errors'
import {expect} from 'chai'
import {gatherTasks, type TargetKind} from '../src/targets.ts'

describe('the packages of a batch', () => {
  let home: string
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'atomctl-batch-test-'))
    for (const name of [
      'a.wpk.yaml',
      'b.wpk.yaml',
      'notes.txt',
      'tool/tool.wpk.yaml',
      'tool/run.sh',
      'alone/c.wpk.yaml',
    ]) {
      mkdirSync(join(home, name, '..'), {recursive: true})
      writeFileSync(join(home, name), 'x')
    }
  })
  afterEach(() => rmSync(home, {recursive: true, force: true}))

  const named = async (names: string[], kind: TargetKind = 'document', manifest?: string): Promise<string[]> => {
    const tasks = await gatherTasks(
      names.map((name) => (name.includes('-1.0.0') ? name : join(home, name))),
      {kind, manifest},
    )
    return tasks.map(({subject}) => subject.replace(`${home}/`, ''))
  }

  it('are files, what patterns match, and the documents below directories, each once, in order', async () => {
    expect(await named(['b.wpk.yaml', '*.wpk.yaml'])).to.deep.equal(['b.wpk.yaml', 'a.wpk.yaml'])
    expect(await named(['.'])).to.have.members(['a.wpk.yaml', 'b.wpk.yaml', 'tool/tool.wpk.yaml', 'alone/c.wpk.yaml'])
  })

  it('are directories where a document has files beside it, for all that is done with the whole package', async () => {
    for (const kind of ['package', 'workflow'] as const) {
      expect(await named(['.'], kind)).to.have.members(['a.wpk.yaml', 'b.wpk.yaml', 'tool', 'alone/c.wpk.yaml'])
      expect(await named(['tool'], kind)).to.deep.equal(['tool'])
      expect(await named(['tool/tool.wpk.yaml'], kind)).to.deep.equal(['tool/tool.wpk.yaml'])
    }
  })

  it('do not nest: a document with packages below it stands for itself', async () => {
    rmSync(join(home, 'b.wpk.yaml'))
    expect(await named(['.'], 'package')).to.have.members(['a.wpk.yaml', 'tool', 'alone/c.wpk.yaml'])
  })

  it('are documents alone where what lies beside them never goes into a package', async () => {
    for (const name of ['c-1.0.0.wpk.tar.gz', 'c-1.0.0.wpk.tar.gz.sigstore.json', 'c.wpktest.yaml', '.gitignore'])
      writeFileSync(join(home, 'alone', name), 'x')
    expect(await named(['alone'], 'package')).to.deep.equal(['alone/c.wpk.yaml'])
  })

  it('are workflow IDs only where the operation takes them', async () => {
    expect(await named(['hello-1.0.0'], 'workflow')).to.deep.equal(['hello-1.0.0'])
    expect(await codeOf(named(['hello-1.0.0']))).to.equal('INPUT_MISSING')
  })

  it('come from a manifest, relative to it, with parameters', async () => {
    const manifest = join(home, 'list.yaml')
    writeFileSync(manifest, 'packages:\n  - "*.wpk.yaml"\n  - {path: tool, parameters: {count: 3}}\n  - id: x-1.0.0\n')
    const tasks = await gatherTasks([], {kind: 'workflow', manifest})
    expect(tasks).to.deep.equal([
      {subject: join(home, 'a.wpk.yaml')},
      {subject: join(home, 'b.wpk.yaml')},
      {subject: join(home, 'tool'), parameters: {count: 3}},
      {subject: 'x-1.0.0'},
    ])
  })

  const broken = [
    'packages: no',
    'packages: [{path: a, id: b}]',
    'packages: [""]',
    'other: []',
    '- a',
    'packages: [',
    '',
  ]
  for (const text of broken) {
    it(`do not come from a manifest that is ${JSON.stringify(text)}`, async () => {
      const manifest = join(home, 'list.yaml')
      writeFileSync(manifest, text)
      expect(await codeOf(gatherTasks([], {kind: 'document', manifest}))).to.equal('CONFIG_INVALID')
    })
  }

  it('are all there before the first is begun', async () => {
    expect(await codeOf(named(['a.wpk.yaml', 'missing.wpk.yaml']))).to.equal('INPUT_MISSING')
    expect(await codeOf(gatherTasks([], {kind: 'document'}))).to.equal('USAGE')
  })
})

async function codeOf(work: Promise<unknown>): Promise<string | undefined> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  return isAtomError(error) ? error.code : undefined
}

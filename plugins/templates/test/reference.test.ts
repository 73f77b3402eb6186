import {isAtomError} from '@atomctl/sdk/errors'
import {expect} from 'chai'
import {nameProblem} from '../src/names.ts'
import {parseReference} from '../src/reference.ts'

describe('what names a template', () => {
  const understood: [text: string, meaning: object][] = [
    ['restart', {kind: 'name', name: 'restart'}],
    ['restart-unhealthy-1.0.0', {kind: 'registry', id: 'restart-unhealthy-1.0.0'}],
    ['./x', {kind: 'path', path: './x'}],
    ['.', {kind: 'path', path: '.'}],
    ['x.wpk.yaml', {kind: 'path', path: 'x.wpk.yaml'}],
    ['x-1.0.0.wpk.tar.gz', {kind: 'path', path: 'x-1.0.0.wpk.tar.gz'}],
    ['https://h/x.git', {kind: 'git', url: 'https://h/x.git'}],
    ['ssh://git@h/x.git#v1', {kind: 'git', url: 'ssh://git@h/x.git', ref: 'v1'}],
    ['file:///srv/x.git#:a/b', {kind: 'git', url: 'file:///srv/x.git', path: 'a/b'}],
    ['https://h/x#feature/y:z.wpk.yaml', {kind: 'git', url: 'https://h/x', ref: 'feature/y', path: 'z.wpk.yaml'}],
  ]
  for (const [text, meaning] of understood) {
    it(`${text} is a ${(meaning as {kind: string}).kind}`, () => {
      expect(parseReference(text)).to.deep.equal(meaning)
    })
  }

  const refused = [
    'ext::sh -c "id"',
    'ext::sh',
    'fd::17',
    'http://h/x',
    'git://h/x',
    'ftp://h/x',
    'javascript://x',
    'ssh://-oProxyCommand=id/x',
    'ssh://-oProxyCommand=id@h/x',
    'ssh://%2doProxyCommand=id@h/x',
    'https://user:secret@h/x',
    'https://h/x\n--upload-pack=id',
    'https://h/ä b',
    'git@h:x.git',
    '-oProxyCommand=id',
    '--upload-pack=id',
    '',
    ' ',
    'A Name',
    'https://h/x#--upload-pack=id',
    'https://h/x#-b',
    'https://h/x#a..b',
    'https://h/x#a b',
    'https://h/x#:../../etc',
    'https://h/x#:/etc',
    'https://h/x#:a/../..',
    'https://h/x#:.git/hooks',
    'https://h/x#:',
    'https://h/x#:C:\\x',
    'https://h/x#:a\\b',
  ]
  for (const text of refused) {
    it(`refuses ${JSON.stringify(text)} before git or the file system sees it`, () => {
      let thrown: unknown
      try {
        parseReference(text)
      } catch (error) {
        thrown = error
      }
      expect(isAtomError(thrown) && thrown.code).to.equal('USAGE')
      expect(String(thrown)).not.to.contain('secret@')
    })
  }

  it('knows which names a file can have everywhere', () => {
    for (const name of ['a', 'restart-web', '9lives', 'x'.repeat(100)])
      expect(nameProblem(name), name).to.equal(undefined)
    for (const name of ['', '-a', 'a-', 'A', 'ä', 'a/b', '..', 'a.b', 'a b', 'con', 'lpt1', 'x'.repeat(101), 'a\n'])
      expect(nameProblem(name), name).to.be.a('string')
  })
})

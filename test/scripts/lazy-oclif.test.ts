import {expect} from 'chai'
import {readdirSync, readFileSync} from 'node:fs'
import {createRequire} from 'node:module'
import {dirname, join} from 'node:path'
import {deferRequires} from '../../scripts/bundling/lazy-oclif.ts'

const ROOT = dirname(createRequire(import.meta.url).resolve('@oclif/core/package.json'))

/** Runs CommonJS with a `require` that notes what was loaded. */
function evaluate(source: string): {exports: {run(): unknown}; loaded: string[]} {
  const loaded: string[] = []
  const module = {exports: {} as {run(): unknown}}
  const load = (name: string): unknown => {
    loaded.push(name)
    return {default: Error, join: (...words: string[]) => words.join('/')}
  }
  // oxlint-disable-next-line typescript/no-implied-eval -- the transform's output is code; running it is the test
  new Function('module', 'require', '__importDefault', source)(module, load, (value: unknown) => value)
  return {exports: module.exports, loaded}
}

describe('deferRequires', () => {
  it('loads a module when it is first used, and once', () => {
    const source =
      'const path_1 = require("node:path");\nmodule.exports = {run: () => path_1.join("a", path_1.join("b"))}'
    const {exports, loaded} = evaluate(deferRequires(source))
    expect(loaded).to.deep.equal([])
    expect(exports.run()).to.equal('a/b')
    expect(loaded).to.deep.equal(['node:path'])
  })

  it('keeps the meaning of a constructor and of a detached call', () => {
    const source = [
      'const found_1 = __importDefault(require("found"));',
      'const path_1 = require("node:path");',
      'module.exports = {run: () => [new found_1.default(), (0, path_1.join)("a", "b")]}',
    ].join('\n')
    const [object, text] = evaluate(deferRequires(source)).exports.run() as [object, string]
    expect(object).to.be.instanceOf(Error)
    expect(text).to.equal('a/b')
  })

  it('leaves no eager require at the top of any module of oclif that tsc compiled', () => {
    const eager = modulesOfOclif().flatMap((file) => {
      const rest = deferRequires(readFileSync(file, 'utf8'))
      return /^const \w+_\d+ = .*require\(/m.test(rest) ? [file] : []
    })
    expect(eager).to.deep.equal([])
  })
})

function modulesOfOclif(): string[] {
  const entries = readdirSync(join(ROOT, 'lib'), {recursive: true, withFileTypes: true})
  return entries.filter(({name}) => name.endsWith('.js')).map(({name, parentPath}) => join(parentPath, name))
}

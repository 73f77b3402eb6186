import {expect} from 'chai'
import {findCircles, findViolations, importsOf, readSources, type SourceFile} from '../../scripts/imports.ts'

function source(path: string, ...names: string[]): SourceFile {
  return {path, imports: names.map((name) => ({name, isType: false}))}
}

function violationsOf(path: string, ...names: string[]): string[] {
  return findViolations([source(path, ...names)])
}

describe('the direction of imports', () => {
  it('is kept by every source file of this repository, without a circle', () => {
    const files = readSources()
    expect(files.length).to.be.greaterThan(50)
    expect(findViolations(files)).to.deep.equal([])
  })

  it('lets commands use the SDK and refuses them a service', () => {
    expect(violationsOf('src/commands/push.ts', '@atomctl/sdk/command')).to.deep.equal([])
    expect(violationsOf('src/commands/push.ts', '@atomctl/registry')).to.have.lengthOf(1)
  })

  it('lets nothing but the dev plugin use a service', () => {
    expect(violationsOf('plugins/dev/src/commands/serve/all.ts', '@atomctl/runtime')).to.deep.equal([])
    expect(violationsOf('plugins/batch/src/commands/batch/push.ts', '@atomctl/runtime')).to.have.lengthOf(1)
    expect(violationsOf('services/registry/src/app.ts', '@atomctl/runtime')).to.have.lengthOf(1)
  })

  it('lets the test plugin use one entry of the runtime, which loads neither server nor engine nor database', () => {
    const entry = 'services/runtime/src/rehearsal/index.ts'
    expect(violationsOf('plugins/test/src/suite.ts', '@atomctl/runtime/rehearsal')).to.deep.equal([])
    expect(violationsOf('plugins/test/src/suite.ts', '@atomctl/runtime')).to.have.lengthOf(1)
    expect(violationsOf('plugins/batch/src/queue.ts', '@atomctl/runtime/rehearsal')).to.have.lengthOf(1)
    const files = [source(entry, '../interpreter.ts'), source('services/runtime/src/interpreter.ts', 'kysely')]
    expect(findViolations(files).join()).to.include(`interpreter.ts imports kysely, which ${entry} must not load`)
  })

  it('refuses the package format everything that is first-party', () => {
    expect(violationsOf('packages/wpk/src/errors.ts', '@atomctl/sdk/errors')).to.have.lengthOf(1)
  })

  it('refuses one command the import of another, in a topic as well', () => {
    expect(violationsOf('src/commands/pack.ts', './sign.ts')).to.have.lengthOf(1)
    expect(violationsOf('src/commands/keys/import.ts', '../sign.ts')).to.have.lengthOf(1)
    expect(violationsOf('src/commands/pack.ts', '../lib/approval.ts')).to.deep.equal([])
  })

  it('refuses a relative path into another room', () => {
    expect(violationsOf('src/commands/pack.ts', '../../packages/wpk/src/errors.ts')).to.have.lengthOf(1)
  })

  it('keeps each dependency behind its one door', () => {
    expect(violationsOf('packages/wpk/src/document/gate.ts', 'yaml')).to.deep.equal([])
    expect(violationsOf('packages/sdk/src/config/file.ts', 'yaml')).to.have.lengthOf(1)
    expect(violationsOf('src/commands/push.ts', 'undici')).to.have.lengthOf(1)
    expect(violationsOf('packages/wpk/src/lint/rules.ts', 'node:https')).to.have.lengthOf(1)
    expect(violationsOf('services/registry/src/app.ts', '@dbos-inc/dbos-sdk')).to.have.lengthOf(1)
  })
})

describe('reading imports from a source', () => {
  it('finds static, type-only, re-exported, side-effect and lazy imports', () => {
    const text = [
      "import a, {b} from 'one'",
      "import type {\n  C,\n} from 'two'",
      "export {d} from 'three'",
      "export * from 'four'",
      "import 'five'",
      "const e = await import('six')",
    ].join('\n')
    const found = importsOf(text)
    expect(found.map(({name}) => name)).to.deep.equal(['one', 'two', 'three', 'four', 'five', 'six'])
    expect(found.filter(({isType}) => isType)).to.deep.equal([{name: 'two', isType: true}])
  })

  it('does not take a comment or a string for an import', () => {
    expect(importsOf("// import a from 'one'\n/* import 'two' */\nexport interface A {kind: 'three'}")).to.deep.equal(
      [],
    )
  })
})

describe('an import of types', () => {
  it('follows the arrows like any other', () => {
    const imports = [{name: '@atomctl/registry', isType: true}]
    expect(findViolations([{path: 'src/commands/push.ts', imports}])).to.have.lengthOf(1)
  })

  it('opens no door and closes no circle, since nothing is loaded', () => {
    const pool = {path: 'services/runtime/src/peers.ts', imports: [{name: 'pg', isType: true}]}
    const self = {path: 'src/lib/a.ts', imports: [{name: './a.ts', isType: true}]}
    expect(findViolations([pool, self])).to.deep.equal([])
  })
})

describe('circles of imports', () => {
  const circle = [source('src/lib/a.ts', './b.ts'), source('src/lib/b.ts', './c.ts'), source('src/lib/c.ts', './a.ts')]

  it('are named once, whatever file the search starts at', () => {
    expect(findCircles(circle)).to.have.lengthOf(1)
    expect(findCircles(circle.toReversed())).to.have.lengthOf(1)
  })

  it('are not seen in a diamond', () => {
    const diamond = [
      source('src/lib/a.ts', './b.ts', './c.ts'),
      source('src/lib/b.ts', './d.ts'),
      source('src/lib/c.ts', './d.ts'),
      source('src/lib/d.ts'),
    ]
    expect(findCircles(diamond)).to.deep.equal([])
  })
})

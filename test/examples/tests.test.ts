import {cpSync, globSync} from 'node:fs'
import {join} from 'node:path'
import {expect} from 'chai'
import {ROOT} from '../../scripts/rooms.ts'
import {createSandbox, type Sandbox} from '../support/atomctl.ts'

interface Report {
  data: {
    files: {file: string; cases: {name: string; passed: boolean}[]}[]
    totals: Record<string, number>
  }
}

for (const folder of ['examples', 'plugins/templates/templates'])
  describe(`the tests in ${folder}`, function () {
    this.timeout(120_000)
    let sandbox: Sandbox
    before(async () => {
      sandbox = await createSandbox()
      cpSync(join(ROOT, folder), sandbox.path('packages'), {recursive: true})
    })
    after(() => sandbox[Symbol.asyncDispose]())

    it('are there for every package', () => {
      const below = (pattern: string): string[] => globSync(pattern, {cwd: sandbox.path('packages')})
      const tested = below('*.wpktest.yaml').map((file) => file.replace('.wpktest.yaml', ''))
      expect(tested.toSorted()).to.deep.equal(
        below('**/*.wpk.yaml')
          .map((file) => file.replace(/^.*[/\\]/, '').replace('.wpk.yaml', ''))
          .toSorted(),
      )
    })

    it('pass, reach everything, and hold when each step fails once', async () => {
      const result = await sandbox.atomctl([
        'test',
        'packages',
        '--fail-each-step',
        '--min-coverage',
        '100',
        '-o',
        'json',
      ])
      const {files, totals} = (JSON.parse(result.stdout) as Report).data
      expect(files.flatMap(({cases}) => cases.filter(({passed}) => !passed))).to.deep.equal([])
      expect(totals).to.include({broken: 0, failed: 0, coverage: 100})
      expect(files).to.have.length.at.least(12)
      expect(result.code).to.equal(0)
    })
  })

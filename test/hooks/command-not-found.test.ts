import {expect} from 'chai'
import {createSandbox, type Sandbox} from '../support/atomctl.ts'

describe('a command or flag that does not exist', function () {
  this.timeout(60_000)
  let sandbox: Sandbox
  before(async () => {
    sandbox = await createSandbox()
  })
  after(() => sandbox[Symbol.asyncDispose]())

  const commands: [typed: string, hint: string][] = [
    ['validat', 'did you mean: atomctl validate'],
    ['validat a-rather-long-name.wpk.yaml', 'did you mean: atomctl validate'],
    ['trust-polcy check policies/production.yaml', 'did you mean: atomctl trust-policy check'],
    ['config gett registry_url', 'did you mean: atomctl config get'],
    ['keys-generate', 'did you mean: atomctl keys generate'],
    ['keys frobnicate', 'atomctl help keys'],
    ['frobnicate list', 'atomctl help'],
  ]
  for (const [typed, hint] of commands) {
    it(`answers \`${typed}\` with \`${hint}\`, and runs nothing`, async () => {
      const {code, stdout, stderr} = await sandbox.atomctl(typed.split(' '))
      expect(stderr).to.match(/^\[ERROR\] there is no command /)
      expect(stderr.trimEnd().split('\n').at(-1)).to.equal(`hint: ${hint}`)
      expect([code, stdout]).to.deep.equal([127, ''])
    })
  }

  const flags: [typed: string, hint: string][] = [
    ['--strct', 'did you mean --strict?'],
    ['--outptu=json', 'did you mean --output?'],
    ['--frobnicate', 'add --help to see the arguments and flags'],
  ]
  for (const [typed, hint] of flags) {
    it(`answers the flag ${typed} with \`${hint}\``, async () => {
      const {code, stderr} = await sandbox.atomctl(['validate', 'x.yaml', typed])
      expect(code).to.equal(2)
      expect(stderr.trimEnd().split('\n').at(-1)).to.equal(`hint: ${hint}`)
    })
  }
})

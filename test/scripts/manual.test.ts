import {spawnSync} from 'node:child_process'
import {readAllCommands} from '../../scripts/reference.ts'
import {renderManual} from '../../scripts/manual.ts'
import {expect} from 'chai'

const commands = readAllCommands()
const pages = renderManual(commands)
const hasGroff = spawnSync('groff', ['--version']).status === 0

describe('the manual pages', function () {
  this.timeout(60_000)

  it('name every command, on the page of its first word and in the list of all', () => {
    for (const {id} of commands) {
      const name = `atomctl ${id.replaceAll(':', ' ')}`.replaceAll('-', '\\-')
      expect(pages.get('atomctl.1')).to.contain(`.B ${name}\n`)
      expect(pages.get(`atomctl-${id.split(':')[0]}.1`)).to.contain(`.SH "${name.toUpperCase()}"\n`)
    }
  })

  it('are roff without a warning', function () {
    if (!hasGroff) this.skip() // groff is not installed here
    for (const [name, input] of pages) {
      const {status, stderr} = spawnSync('groff', ['-ww', '-man', '-Tutf8', '-z'], {input, encoding: 'utf8'})
      expect([name, status, stderr]).to.deep.equal([name, 0, ''])
    }
  })

  it('show backslashes, quotes and leading dots as they are', function () {
    if (!hasGroff) this.skip() // groff is not installed here
    const [command] = commands
    if (!command) throw new Error('no command')
    const odd = {...command, id: 'odd', examples: ['.atomctl \\n "x" \'y\''], description: '.TH says é'}
    const input = renderManual([odd]).get('atomctl-odd.1') ?? ''
    const {stdout} = spawnSync('groff', ['-man', '-Tutf8', '-P-c'], {input, encoding: 'utf8'})
    expect(stdout).to.contain('.atomctl \\n "x"').and.to.contain('.TH says é')
  })
})

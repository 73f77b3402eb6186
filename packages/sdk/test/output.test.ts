import {
  createStyle,
  failureEnvelope,
  failureText,
  formatOf,
  printable,
  render,
  renderTable,
  type View,
  wantsColour,
} from '@atomctl/sdk/output'
import {parseYaml} from '@atomctl/wpk/document'
import {expect} from 'chai'

const plain = createStyle(false)
const view: View<{id: string}[]> = {
  kind: 'Things',
  text: (things) => `Found ${things.length} things`,
  names: (things) => things.map(({id}) => id),
  items: (things) => things,
}
const things = [{id: 'a'}, {id: 'b'}]
const options = {style: plain, warnings: ['careful']}

describe('render', () => {
  it('prints human text as table, and as wide where a view has no wide form', async () => {
    expect(await render(view, things, {...options, format: 'table'})).to.equal('Found 2 things')
    expect(await render(view, things, {...options, format: 'wide'})).to.equal('Found 2 things')
  })

  it('prints one envelope as json, with warnings', async () => {
    expect(JSON.parse(await render(view, things, {...options, format: 'json'}))).to.deep.equal({
      apiVersion: 'atomctl.dev/v1',
      kind: 'Things',
      data: things,
      warnings: ['careful'],
    })
  })

  it('prints the same envelope as yaml that every reader reads alike', async () => {
    const text = await render(view, [{id: 'yes'}, {id: '1.0'}], {...options, format: 'yaml'})
    const {value, findings} = parseYaml(Buffer.from(text), 'output')
    expect(findings).to.deep.equal([])
    expect((value as {data: unknown}).data).to.deep.equal([{id: 'yes'}, {id: '1.0'}])
  })

  it('prints an element a line as ndjson and an id a line as name', async () => {
    expect(await render(view, things, {...options, format: 'ndjson'})).to.equal('{"id":"a"}\n{"id":"b"}')
    expect(await render(view, things, {...options, format: 'name'})).to.equal('a\nb')
  })

  it('puts the error of a failed command beside its data', async () => {
    const error = {code: 'EXECUTION_FAILED', message: 'it failed', exit: 20}
    const envelope: unknown = JSON.parse(await render(view, things, {...options, format: 'json', error}))
    expect(envelope).to.have.property('error').that.deep.equals({code: 'EXECUTION_FAILED', message: 'it failed'})
  })
})

describe('formatOf', () => {
  it('finds the format on a raw command line, however it is written', () => {
    for (const argv of [['-o', 'json'], ['-ojson'], ['-o=json'], ['--output', 'json'], ['--output=json'], ['--json']]) {
      expect(formatOf(['list', ...argv], {}), argv.join(' ')).to.equal('json')
    }
  })

  it('stops at -- and falls back to ATOMCTL_OUTPUT, then table', () => {
    expect(formatOf(['validate', '--', '--json'], {})).to.equal('table')
    expect(formatOf(['list'], {ATOMCTL_OUTPUT: 'yaml'})).to.equal('yaml')
  })
})

describe('a failure', () => {
  const report = {
    code: 'NOT_AUTHENTICATED',
    message: 'Push failed: 401',
    details: {detail: 'Invalid authentication token'},
    hint: 'atomctl config --auth-token -',
    exit: 4,
  }

  it('is the lines the original printed, then what to do', () => {
    expect(failureText(report, plain)).to.equal(
      '[ERROR] Push failed: 401\n  Error: Invalid authentication token\nhint: atomctl config --auth-token -',
    )
  })

  it('is an envelope where a program reads', async () => {
    const envelope: unknown = JSON.parse((await failureEnvelope(report, 'json', [])) ?? '')
    expect(envelope).to.have.nested.property('error.code', 'NOT_AUTHENTICATED')
    expect(await failureEnvelope(report, 'table', [])).to.equal(undefined)
  })

  it('never lets a server or a file drive the terminal', () => {
    const text = failureText(
      {code: 'X', message: 'a\u001B[2Jb', details: {detail: '\u009B31mred\u202E'}, exit: 1},
      plain,
    )
    expect(text).to.equal('[ERROR] a\\u001b[2Jb\n  Error: \\u009b31mred\\u202e')
  })
})

describe('colour', () => {
  const terminal = {isTTY: true}
  it('follows the flag, then NO_COLOR, then FORCE_COLOR, then the terminal', () => {
    expect(wantsColour(undefined, {}, terminal)).to.equal(true)
    expect(wantsColour(undefined, {}, {})).to.equal(false)
    expect(wantsColour(undefined, {FORCE_COLOR: '1'}, {})).to.equal(true)
    expect(wantsColour(undefined, {NO_COLOR: '1', FORCE_COLOR: '1'}, terminal)).to.equal(false)
    expect(wantsColour(true, {NO_COLOR: '1'}, {})).to.equal(true)
    expect(wantsColour(false, {FORCE_COLOR: '1'}, terminal)).to.equal(false)
    expect(wantsColour(undefined, {TERM: 'dumb'}, terminal)).to.equal(false)
  })
})

describe('renderTable', () => {
  it('aligns columns and leaves no blanks at the end of a line', () => {
    expect(
      renderTable(
        ['ID', 'STATUS'],
        [
          ['abc', 'ok'],
          ['d', 'failed'],
        ],
      ),
    ).to.equal('ID   STATUS\nabc  ok\nd    failed')
  })

  const header = ['ID', 'STATUS', 'NOTE', 'AUTHOR']
  const row = ['6b7c0a2e-58a5-4c56-9a55-0c8b7f0d9a11', 'completed', 'x'.repeat(90), 'The Platform Team of Some Company']

  it('is never wider than the terminal', () => {
    for (const width of [20, 40, 80, 120, 200]) {
      const lines = renderTable(header, [row, ['a', 'b', 'c', 'd']], width).split('\n')
      for (const line of lines) expect(line.length, `${width}: ${line}`).to.be.at.most(width)
    }
  })

  it('cuts the widest columns first, says so, and keeps what tells rows apart as long as it can', () => {
    const [, line = ''] = renderTable(header, [row], 80).split('\n')
    expect(line).to.match(/^6b7c0a2e-58a5-4c56-9a55-0c8b7f0d9a11 {2}completed {2}x+… {2}The .*…$/)
    expect(renderTable(header, [row], 200).split('\n')[1]).not.to.contain('…')
  })

  it('cuts nothing where there is no terminal', () => {
    expect(renderTable(header, [row], undefined)).to.contain(row.join('  '))
  })
})

describe('printable', () => {
  it('keeps text, tabs and newlines and defuses the rest', () => {
    expect(printable('é\t\n→')).to.equal('é\t\n→')
    expect(printable('\u0007\r')).to.equal('\\u0007\\u000d')
  })
})

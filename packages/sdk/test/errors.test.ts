import {AtomError, describeFailure, ERRORS, reportOf} from '@atomctl/sdk/errors'
import {expect} from 'chai'

describe('reportOf', () => {
  it('gives an AtomError the exit code of its catalogue entry', () => {
    const error = new AtomError('WPK_UNSIGNED', 'x.wpk.yaml has no signature', {hint: 'atomctl sign x.wpk.yaml'})
    expect(reportOf(error)).to.deep.equal({
      code: 'WPK_UNSIGNED',
      message: 'x.wpk.yaml has no signature',
      hint: 'atomctl sign x.wpk.yaml',
      exit: 10,
    })
  })

  it('knows the error of another copy of the package by its code', () => {
    const copy = Object.assign(new Error('no'), {name: 'AtomError', code: 'VERSION_EXISTS'})
    expect(reportOf(copy)).to.include({code: 'VERSION_EXISTS', exit: 7})
  })

  it('calls an unknown code of a plugin unclassified', () => {
    expect(reportOf(new AtomError('PLUGIN_SPECIFIC', 'no')).exit).to.equal(1)
  })

  it('reads errors of the file system', () => {
    const missing = Object.assign(new Error("ENOENT: no such file 'x'"), {code: 'ENOENT'})
    expect(reportOf(missing)).to.include({code: 'INPUT_MISSING', exit: 2})
    const full = Object.assign(new Error('ENOSPC: no space left on device'), {code: 'ENOSPC'})
    expect(reportOf(full)).to.include({code: 'OUTPUT_FAILED', exit: 1})
  })

  it('calls what the parser of the command line refuses a usage error', () => {
    const error = Object.assign(new Error('Missing 1 required arg:\nfile\nSee more help with --help'), {
      oclif: {exit: 2},
      parse: {},
    })
    expect(reportOf(error)).to.include({code: 'USAGE', exit: 2, message: 'Missing 1 required arg:\nfile'})
  })

  it('reports what is no Error at all', () => {
    expect(reportOf('boom')).to.deep.equal({code: 'INTERNAL', message: 'boom', exit: 1})
    expect(reportOf(undefined)).to.include({code: 'INTERNAL', exit: 1})
  })
})

describe('describeFailure', () => {
  it('says the refusal of a service as the failure of the command', () => {
    const refused = new AtomError('NOT_AUTHENTICATED', 'HTTP 401', {details: {status: 401, detail: 'Invalid token'}})
    const said = describeFailure('Push failed', refused) as AtomError
    expect(said.message).to.equal('Push failed: 401')
    expect(said.code).to.equal('NOT_AUTHENTICATED')
    expect(said.details).to.deep.equal({status: 401, detail: 'Invalid token'})
  })

  it('leaves alone what is no answer of a service', () => {
    const network = new AtomError('UNAVAILABLE', 'Network error: Connection refused')
    expect(describeFailure('Push failed', network)).to.equal(network)
  })
})

describe('the error catalogue', () => {
  it('uses only the exit codes of the CLI contract', () => {
    const contract = new Set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 20, 21, 22, 23, 24, 124, 127, 130, 143])
    for (const [code, {exit}] of Object.entries(ERRORS)) expect(contract.has(exit), code).to.equal(true)
  })
})

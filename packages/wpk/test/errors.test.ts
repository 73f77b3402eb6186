import {expect} from 'chai'
import {AtomError, isAtomError, WPK_ERRORS} from '@atomctl/wpk/errors'

describe('AtomError', () => {
  it('is recognised across copies of the package by its name and code', () => {
    class AtomErrorCopy extends Error {
      code = 'WPK_UNSIGNED'
      override name = 'AtomError'
    }
    expect(isAtomError(new AtomErrorCopy())).to.equal(true)
    expect(isAtomError(new AtomError('WPK_INVALID', 'x'))).to.equal(true)
    expect(isAtomError(new Error('x'))).to.equal(false)
  })

  it('has only exit codes of the CLI contract in its table', () => {
    const allowed = new Set([2, 3, 4, 7, 10, 11, 12])
    for (const [code, entry] of Object.entries(WPK_ERRORS)) expect(allowed.has(entry.exit), code).to.equal(true)
  })
})

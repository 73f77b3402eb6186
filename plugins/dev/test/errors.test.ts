import {ERRORS} from '@atomctl/sdk/errors'
import {STORAGE_ERRORS} from '@atomctl/storage'
import {expect} from 'chai'

describe('the errors of the storage', () => {
  it('are in the one catalogue, as the storage defines them', () => {
    for (const [code, entry] of Object.entries(STORAGE_ERRORS)) {
      expect((ERRORS as Record<string, unknown>)[code], code).to.deep.equal(entry)
    }
  })
})

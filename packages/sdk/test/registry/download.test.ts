import {createHash} from 'node:crypto'
import {expect} from 'chai'
import nock from 'nock'
import {codeOf} from '../http/support.ts'
import {URL_OF_NOCK, useRegistryStage} from './stage.ts'

describe('registry client', () => {
  const {ours, announce, startDouble} = useRegistryStage()

  describe('download', () => {
    const bytes = Buffer.from('the tarball')
    const etag = `"sha256:${createHash('sha256').update(bytes).digest('hex')}"`

    it('streams the bytes and checks them against their digest', async () => {
      announce('tarballs')
      const headers = {etag, 'content-type': 'application/gzip', 'content-length': String(bytes.length)}
      nock(URL_OF_NOCK).get('/workflows/demo-1.0.0/content').reply(200, bytes, headers)
      const download = await ours().download('demo-1.0.0')
      expect(download).to.include({digest: etag.slice(1, -1), mediaType: 'application/gzip', size: bytes.length})
      expect(Buffer.concat(await Array.fromAsync(download?.chunks ?? []))).to.deep.equal(bytes)
    })

    it('fails when they differ', async () => {
      announce('tarballs')
      nock(URL_OF_NOCK).get('/workflows/demo-1.0.0/content').reply(200, 'other bytes', {etag})
      const download = await ours().download('demo-1.0.0')
      expect(await codeOf(Array.fromAsync(download?.chunks ?? []))).to.equal('PROTOCOL')
    })

    it('is not offered by an original registry', async () => {
      const {registry} = await startDouble()
      expect(await registry.download('demo-1.0.0')).to.equal(undefined)
      expect(await registry.bundle('demo-1.0.0')).to.equal(undefined)
    })

    it('comes with a bundle where there is one', async () => {
      announce('tarballs')
      const registry = ours()
      nock(URL_OF_NOCK).get('/workflows/a-1.0.0/bundle').reply(200, {mediaType: 'x'})
      expect(await registry.bundle('a-1.0.0')).to.deep.equal({mediaType: 'x'})
      nock(URL_OF_NOCK).get('/workflows/b-1.0.0/bundle').reply(404, {detail: 'No bundle', code: 'NOT_FOUND'})
      expect(await registry.bundle('b-1.0.0')).to.equal(undefined)
      nock(URL_OF_NOCK).get('/workflows/c-1.0.0/bundle').reply(200, '"text"', {'content-type': 'application/json'})
      expect(await codeOf(registry.bundle('c-1.0.0'))).to.equal('SIGNATURE_MALFORMED')
    })
  })
})

import {createHash} from 'node:crypto'
import {mkdtemp, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {expect} from 'chai'
import nock from 'nock'
import type {PackageUpload} from '@atomctl/sdk/registry'
import {reply} from '@atomctl/sdk/testing'
import type {VerifiedDocument} from '@atomctl/wpk/trust'
import {codeOf, failed} from '../http/support.ts'
import {URL_OF_NOCK, upload, useRegistryStage} from './stage.ts'
import {packageText, verifiedPackage} from './support.ts'

describe('registry client', () => {
  const {client, ours, announce, startServer} = useRegistryStage()

  describe('push to a registry that protects its versions', () => {
    const digest = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

    it('is one request, whose digest is compared', async () => {
      announce('immutable', 'digests')
      const verified = verifiedPackage()
      const answer = {
        workflow_id: 'demo-1.0.0',
        status: 'registered',
        digest: digest(verified.document.bytes),
        created: true,
      }
      nock(URL_OF_NOCK).post('/workflows').reply(200, answer)
      expect(await ours().push(verified, upload(verified))).to.deep.equal({
        id: 'demo-1.0.0',
        status: 'registered',
        digest: digest(verified.document.bytes),
        created: true,
      })
    })

    it('is PROTOCOL when other bytes or another id were stored', async () => {
      for (const answer of [
        {workflow_id: 'demo-1.0.0', digest: digest(Buffer.from('x'))},
        {workflow_id: 'evil-1.0.0'},
      ]) {
        announce('immutable')
        nock(URL_OF_NOCK)
          .post('/workflows')
          .reply(200, {status: 'registered', ...answer})
        expect(await codeOf(ours().push(verifiedPackage(), upload(verifiedPackage())))).to.equal('PROTOCOL')
      }
    })

    it('passes on the code, the hint and the findings of a refusal', async () => {
      announce('immutable')
      const findings = [{rule: 'schema', message: 'no \u001b[31mcolours\u0007', severity: 'error'}]
      nock(URL_OF_NOCK)
        .post('/workflows')
        .reply(409, {detail: 'demo-1.0.0 has other bytes', code: 'VERSION_EXISTS', hint: 'raise it', findings})
      const error = await failed(ours().push(verifiedPackage(), upload(verifiedPackage())))
      expect(error.code).to.equal('VERSION_EXISTS')
      expect(error.hint).to.equal('raise it')
      expect(error.details?.['findings']).to.deep.equal([
        {rule: 'schema', message: 'no [31mcolours', severity: 'error'},
      ])
    })

    it('ignores a code that is not a service code', async () => {
      announce('immutable')
      nock(URL_OF_NOCK).post('/workflows').reply(400, {detail: 'x', code: 'INTERRUPTED'})
      expect(await codeOf(ours().push(verifiedPackage(), upload(verifiedPackage())))).to.equal('REQUEST_REJECTED')
    })

    it('refuses what no policy verified', async () => {
      const {document, digest: known, verification} = verifiedPackage()
      const forged = {document, digest: known, verification} as unknown as VerifiedDocument
      expect(await codeOf(ours().push(forged, upload(verifiedPackage())))).to.equal('GATE_NOT_RUN')
    })

    it('refuses bytes that are not the verified document, before the form is complete', async () => {
      const server = await startServer(
        reply(200, {service: 'registry', version: '1', protocol: '1', capabilities: ['immutable']}),
      )
      const other: PackageUpload = {kind: 'yaml', file: {bytes: Buffer.from(packageText({description: 'Evil'}))}}
      expect(await codeOf(client({baseUrl: server.url}).push(verifiedPackage(), other))).to.equal('WPK_TAMPERED')
      expect(server.requests).to.have.length(1)
    })

    describe('of a tarball', () => {
      let directory: string
      beforeEach(async () => {
        directory = await mkdtemp(join(tmpdir(), 'atomctl-push-'))
      })
      afterEach(() => rm(directory, {recursive: true}))

      it('streams the file with its bundle and tells how far it is', async () => {
        const bytes = Buffer.alloc(300_000, 'tarball')
        const path = join(directory, 'démo pkg.wpk.tar.gz')
        await writeFile(path, bytes)
        const server = await startServer(
          reply(200, {service: 'registry', version: '1', protocol: '1', capabilities: ['immutable', 'tarballs']}),
          reply(200, {workflow_id: 'demo-1.0.0', status: 'registered', digest: digest(bytes), created: true}),
        )
        const progress: number[] = []
        const sent: PackageUpload = {
          kind: 'tarball',
          file: {path},
          digest: digest(bytes),
          bundle: {mediaType: 'x'},
          onProgress: (count) => progress.push(count),
        }
        await client({baseUrl: server.url}).push(verifiedPackage(), sent)
        const body = server.requests[1]?.body.toString('latin1') ?? ''
        expect(body).to.include('name="file"; filename="d_mo_pkg.wpk.tar.gz"\r\nContent-Type: application/gzip')
        expect(body).to.include('name="bundle"; filename="bundle.sigstore.json"').and.include('{"mediaType":"x"}')
        expect(progress.length).to.be.greaterThan(1)
        expect(progress.at(-1)).to.equal(bytes.length)
      })

      it('is never completed when the file is not the verified one', async () => {
        const path = join(directory, 'demo.wpk.tar.gz')
        await writeFile(path, 'other bytes')
        const server = await startServer(
          reply(200, {service: 'registry', version: '1', protocol: '1', capabilities: ['immutable', 'tarballs']}),
        )
        const sent = {kind: 'tarball', file: {path}, digest: digest(Buffer.from('expected'))} as const
        expect(await codeOf(client({baseUrl: server.url}).push(verifiedPackage(), sent))).to.equal('WPK_TAMPERED')
        expect(server.requests).to.have.length(1)
      })
    })
  })
})

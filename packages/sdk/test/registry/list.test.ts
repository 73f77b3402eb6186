import {expect} from 'chai'
import nock from 'nock'
import type {RegistryClient} from '@atomctl/sdk/registry'
import {codeOf} from '../http/support.ts'
import {URL_OF_NOCK, entryOf, upload, useRegistryStage} from './stage.ts'
import {verifiedPackage} from './support.ts'

describe('registry client', () => {
  const {ours, announce, startDouble} = useRegistryStage()

  describe('list', () => {
    const fill = async (registry: RegistryClient, ...names: string[]): Promise<void> => {
      for (const name of names) await registry.push(verifiedPackage({name}), upload(verifiedPackage({name})))
    }

    it('filters by name and text itself where the registry cannot', async () => {
      const {registry} = await startDouble()
      await fill(registry, 'restart-a', 'scale-b', 'restart-c')
      const names = async (query: object): Promise<string[]> =>
        (await registry.list(query)).workflows.map(({name}) => name)
      expect(await names({name: 'restart'})).to.deep.equal(['restart-a', 'restart-c'])
      expect(await names({q: 'DEMO'})).to.have.length(3)
      expect(await names({q: 'nothing'})).to.deep.equal([])
      expect(await registry.list({name: 'restart', limit: 1})).to.deep.include({truncated: true})
      expect((await registry.list({limit: 2})).truncated).to.equal(true)
      expect((await registry.list({limit: 2}, {all: true})).workflows).to.have.length(3)
    })

    it('reads every entry when null tags of one make the tag filter crash', async () => {
      const {double, registry} = await startDouble()
      await fill(registry, 'good')
      const {entry, content} = double.registry.workflows.get('good-1.0.0') ?? {entry: {}, content: {}}
      double.registry.workflows.set('odd-1.0.0', {entry: {...entry, id: 'odd-1.0.0', tags: null}, content})
      const {workflows} = await registry.list({tag: 'demo'})
      expect(workflows.map(({id}) => id)).to.deep.equal(['good-1.0.0'])
    })

    it('follows cursors until it has enough, or everything', async () => {
      const pages = [
        {workflows: [entryOf('a'), entryOf('b')], total: 2, next_cursor: 'two'},
        {workflows: [entryOf('c')], total: 1, next_cursor: null},
      ]
      nock(URL_OF_NOCK).get('/workflows').query({limit: '3'}).reply(200, pages[0])
      nock(URL_OF_NOCK).get('/workflows').query({limit: '1', cursor: 'two'}).reply(200, pages[1])
      expect(await ours().list({limit: 3})).to.deep.include({truncated: false})
      nock(URL_OF_NOCK).get('/workflows').query({limit: '2'}).reply(200, pages[0])
      expect(await ours().list({limit: 2})).to.deep.include({truncated: true})
      nock(URL_OF_NOCK).get('/workflows').query({limit: '1000'}).reply(200, pages[0])
      nock(URL_OF_NOCK).get('/workflows').query({limit: '1000', cursor: 'two'}).reply(200, pages[1])
      expect((await ours().list({limit: 2}, {all: true})).workflows).to.have.length(3)
    })

    it('leaves searching to a registry that announces it', async () => {
      announce('search')
      nock(URL_OF_NOCK).get('/workflows').query({q: 'disk full', limit: '5'}).reply(200, {workflows: [], total: 0})
      expect((await ours().list({q: 'disk full', limit: 5})).workflows).to.deep.equal([])
    })

    it('finds a part of a name with the help of a registry that searches everything', async () => {
      announce('search')
      const workflows = [entryOf('restart-a'), {...entryOf('other'), description: 'can restart'}]
      nock(URL_OF_NOCK).get('/workflows').query({q: 'restart', limit: '1000'}).reply(200, {workflows, total: 2})
      const found = await ours().list({name: 'restart', limit: 5})
      expect(found.workflows.map(({id}) => id)).to.deep.equal(['restart-a-1.0.0'])
    })

    it('does not go round in circles with a lying registry', async () => {
      nock(URL_OF_NOCK)
        .get('/workflows')
        .query(true)
        .times(2)
        .reply(200, {workflows: [], total: 0, next_cursor: 'again'})
      expect(await codeOf(ours().list({}, {all: true}))).to.equal('PROTOCOL')
    })
  })
})

import type {JsonObject} from '@atomctl/protocol/values'
import {expect} from 'chai'
import {shell} from '../support/packages.ts'
import {TestService} from '../support/service.ts'
import {STARTUP_MS} from '../support/waiting.ts'

const HANDLERS = [shell('a', 'true')]

describe('which packages a runtime takes for what they are', () => {
  let service: TestService
  before(async function () {
    this.timeout(STARTUP_MS)
    service = await TestService.start({registryUrls: () => ['http://127.0.0.1:8000', 'https://registry.example.com']})
  })
  after(() => service.stop())

  const answerTo = async (content: JsonObject, request: object = {}): Promise<[number, unknown]> => {
    const {status, body} = await service.submitContent(content, request)
    return [status, body.code]
  }

  it('refuses a signature that is bound to another registry than its own', async () => {
    const content = await service.trust.sign({name: 'foreign', handlers: HANDLERS}, [], 'https://elsewhere.example.com')
    expect(await answerTo(content)).to.deep.equal([403, 'WPK_TAMPERED'])
  })

  it('runs one that is bound to its registry, under any of its names', async () => {
    for (const registry of ['http://127.0.0.1:8000/', 'https://REGISTRY.example.com:443']) {
      const content = await service.trust.sign({name: 'bound', handlers: HANDLERS}, [], registry)
      expect((await answerTo(content))[0], registry).to.equal(200)
    }
  })

  it('refuses to run a package under the id of another one', async () => {
    const content = await service.trust.sign({name: 'harmless', handlers: HANDLERS})
    const spelled = ['other-1.0.0-rc.1', 'other-1.0.0+b', 'Other-1.0.0', 'other_x-1.0.0', 'other-1.0.0 ']
    for (const id of ['other-1.0.0', 'harmless-1.0.1', ...spelled, ' harmless-1.0.0', 'harmless-v1.0.0'])
      expect(await answerTo(content, {workflow_id: id}), id).to.deep.equal([403, 'WPK_TAMPERED'])
  })
})

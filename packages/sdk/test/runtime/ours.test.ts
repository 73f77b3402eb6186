import {expect} from 'chai'
import type {ExecutionEvent} from '@atomctl/protocol/runtime'
import {createHttpClient, type HttpClient} from '@atomctl/sdk/http'
import {createRuntimeClient, type RuntimeClient} from '@atomctl/sdk/runtime'
import {loadDocument} from '@atomctl/wpk/document'
import {defaultTrustPolicy, type VerifiedDocument, verifyDocument} from '@atomctl/wpk/trust'
import {type PackageShape, shell} from '../../../../services/runtime/test/support/packages.ts'
import {TestService} from '../../../../services/runtime/test/support/service.ts'
import {codeOf, failed, testOptions} from '../http/support.ts'
import {packageText} from '../registry/support.ts'

describe('runtime client against our runtime', () => {
  let service: TestService
  let http: HttpClient
  let runtime: RuntimeClient

  before(async () => {
    service = await TestService.start()
    http = createHttpClient(testOptions())
    runtime = createRuntimeClient({http, target: {baseUrl: service.url}})
  })
  after(async () => {
    await http.close()
    await service.stop()
  })

  async function signed(shape: PackageShape): Promise<VerifiedDocument> {
    const {text} = await service.trust.signText(shape)
    return verifyDocument(loadDocument(Buffer.from(text), 'test.wpk.yaml'), await service.trust.policy())
  }

  async function start(...handlers: object[]): Promise<string> {
    const {executionId} = await runtime.execute(await signed({handlers}), {workflowId: 'test-package-1.0.0'})
    return executionId
  }

  const texts = (events: ExecutionEvent[]): string[] =>
    events.flatMap((event) => (event.type === 'log' && event.log.stream === 'stdout' ? [event.log.text] : []))

  it('runs a package and follows it to its end by event stream', async () => {
    const id = await start(shell('one', 'echo first'), shell('two', 'echo second'))
    const events = await Array.fromAsync(runtime.follow(id))
    expect(texts(events)).to.deep.equal(['first', 'second'])
    const last = events.at(-1)
    expect(last?.type === 'status' && last.execution.status).to.equal('completed')
    expect(events.some(({type}) => type === 'step')).to.equal(true)
    expect(await runtime.status(id)).to.deep.include({status: 'completed', steps_completed: 2, total_steps: 2})
    expect((await runtime.logs(id)).filter(({stream}) => stream === 'stdout').map(({text}) => text)).to.deep.equal([
      'first',
      'second',
    ])
  })

  it('starts one execution for two requests with one key, and refuses the key for another', async () => {
    const verified = await signed({handlers: [shell('one', 'true')]})
    const request = {workflowId: 'test-package-1.0.0', idempotencyKey: 'key-of-a-test'}
    const first = await runtime.execute(verified, request)
    expect(await runtime.execute(verified, request)).to.deep.equal(first)
    expect(await codeOf(runtime.execute(verified, {...request, dryRun: true}))).to.equal('CONFLICT')
  })

  it('reports a failure', async () => {
    const events = await Array.fromAsync(runtime.follow(await start(shell('bad', 'exit 3'))))
    const last = events.at(-1)
    expect(last?.type === 'status' && last.execution.status).to.equal('failed')
  })

  it('cancels', async () => {
    const id = await start(shell('long', 'sleep 60'))
    await runtime.cancel(id)
    const events = await Array.fromAsync(runtime.follow(id))
    const last = events.at(-1)
    expect(last?.type === 'status' && last.execution.status).to.equal('cancelled')
  })

  it('lists executions page by page', async () => {
    for (let count = 0; count < 3; count++) await start(shell('one', 'true'))
    const {executions, truncated} = await runtime.list({limit: 2})
    expect(executions).to.have.length(2)
    expect(truncated).to.equal(true)
    expect((await runtime.list({limit: 1}, {all: true})).executions.length).to.be.greaterThan(2)
  })

  it('is told what is wrong', async () => {
    expect(await codeOf(runtime.status('none'))).to.equal('NOT_FOUND')
    expect(await codeOf(Array.fromAsync(runtime.follow('none')))).to.equal('NOT_FOUND')
    const unsigned = loadDocument(Buffer.from(packageText({signature: ''})), 'demo.wpk.yaml')
    const careless = verifyDocument(unsigned, {...defaultTrustPolicy(), default: {level: 'skip'}})
    const error = await failed(runtime.execute(careless, {workflowId: 'demo-1.0.0'}))
    expect(error.code).to.equal('WPK_UNSIGNED')
    expect(error.details?.['detail']).to.be.a('string')
  })
})

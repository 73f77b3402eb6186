import {PROTOCOL_VERSION, RUNTIME_CAPABILITIES} from '@atomctl/protocol/discovery'
import {executionRequest} from '@atomctl/protocol/runtime'
import {documentFromJson} from '@atomctl/wpk/document'
import {readProgram} from '../program.ts'
import {Refusal} from '../refusal.ts'
import {checkProgram, isUnfilled, unsupportedHandlers} from '../support.ts'
import type {App, Services} from './server.ts'

/** What the service says about itself, and `POST /validate`. */
export function addServiceRoutes(app: App, services: Services): void {
  const types = [...services.admission.handlers.keys()]
  app.get('/.well-known/atom', () => ({
    service: 'runtime',
    version: services.version,
    protocol: PROTOCOL_VERSION,
    capabilities: RUNTIME_CAPABILITIES.filter(
      (capability) => capability !== 'approvals' || services.admission.takesApprovals,
    ),
    handlers: types,
  }))
  app.get('/health', async () => ({
    status: 'healthy',
    timestamp: new Date().toISOString(),
    active_executions: await services.executions.countRunning(),
  }))
  app.get('/whoami', ({identity: {name, role}}) => ({name, role}))
  app.post('/init', () => ({status: 'initialized', adapters: types}))
  app.get('/metrics', async (_request, reply) =>
    reply.type(services.metrics.contentType).send(await services.metrics.text()),
  )
  app.post('/validate', {schema: {body: executionRequest}}, (request) => {
    const {document, findings} = documentFromJson(request.body.wpk_content, 'wpk_content')
    const errors = findings.filter(({severity}) => severity === 'error')
    if (!document)
      throw failed(errors.map(({path, message}) => (path === '' ? message : `${path}: ${message}`)).join('; '), errors)
    const program = readProgram(document.value)
    const missing = unsupportedHandlers(program, services.admission.handlers)
    if (missing.length > 0) throw failed(`${missing.join('; ')}; this runtime has ${types.join(', ')}`)
    const broken = checkProgram(program, [], services.admission.handlers).filter(({rule}) => !isUnfilled(rule))
    if (broken.length > 0) throw failed(broken.map(({path, message}) => `${path}: ${message}`).join('; '), broken)
    return {
      status: 'valid',
      workflow_name: program.name,
      total_handlers: program.handlers.length,
      supported_adapters: types,
    }
  })
}

function failed(reason: string, findings: readonly object[] = []): Refusal {
  const listed = findings.map((finding) => ({...finding})) as {rule: string; message: string}[]
  return new Refusal(400, {detail: `Validation failed: ${reason}`, code: 'WPK_INVALID', findings: listed})
}

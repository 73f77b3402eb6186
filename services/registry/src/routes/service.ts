import {discovery, health, PROTOCOL_VERSION, REGISTRY_CAPABILITIES} from '@atomctl/protocol/discovery'
import {tokenIdentity} from '@atomctl/protocol/identity'
import type {App} from '../app.ts'
import {Refusal} from '../refusal.ts'

/** What a service says of itself; open to everyone. */
export function registerServiceRoutes(app: App, version: string, isReady: () => Promise<void>): void {
  app.get('/.well-known/atom', {schema: {response: {200: discovery}}}, () => ({
    service: 'registry' as const,
    version,
    protocol: PROTOCOL_VERSION,
    capabilities: [...REGISTRY_CAPABILITIES],
  }))

  app.get('/whoami', {config: {access: 'anyToken'}, schema: {response: {200: tokenIdentity}}}, ({identity}) => ({
    name: identity?.name ?? 'anonymous',
    role: identity?.role ?? 'reader',
  }))

  app.get('/health', {schema: {response: {200: health}}}, async () => {
    await isReady().catch((cause: unknown) => {
      throw new Refusal(503, 'The database does not answer', {code: 'UNAVAILABLE', cause})
    })
    return {status: 'healthy', timestamp: new Date().toISOString()}
  })
}

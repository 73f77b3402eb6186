import {type TokenIdentity, tokenIdentity} from '@atomctl/protocol/identity'
import {readJson} from './response.ts'
import type {Service} from './service.ts'

/** Whose token the service takes this client's for; undefined when it does not say. @throws NOT_AUTHENTICATED, … */
export async function readIdentity(service: Service): Promise<TokenIdentity | undefined> {
  if (!(await service.supports('whoami'))) return undefined
  return readJson(await service.request({method: 'GET', path: '/whoami'}), tokenIdentity)
}

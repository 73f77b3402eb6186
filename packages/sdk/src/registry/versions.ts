import {versionList} from '@atomctl/protocol/registry'
import {isAtomError} from '../errors.ts'
import {encodeSegment, readJson, type Service} from '../http/index.ts'
import {listWorkflows} from './list.ts'

export interface PackageVersion {
  readonly version: string
  readonly id: string
  readonly digest?: string | undefined
  readonly registered_at?: string | undefined
}

/** The registered versions of a name, newest version first; empty when there are none. */
export async function listVersions(service: Service, name: string): Promise<PackageVersion[]> {
  const path = `/packages/${encodeSegment(name)}/versions`
  const versions = (await service.supports('versions')) ? await announced(service, path) : await derived(service, name)
  return versions.toSorted((a, b) => compareVersions(b.version, a.version))
}

async function announced(service: Service, path: string): Promise<PackageVersion[]> {
  try {
    return readJson(await service.request({method: 'GET', path}), versionList).versions
  } catch (error) {
    if (isAtomError(error) && error.code === 'NOT_FOUND') return []
    throw error
  }
}

async function derived(service: Service, name: string): Promise<PackageVersion[]> {
  const {workflows} = await listWorkflows(service, {}, true)
  return workflows
    .filter((entry) => entry.name === name)
    .map(({version, id, digest, registered_at}) => ({version, id, digest, registered_at}))
}

/** By the three numbers, however long (the original accepts `01.002.0003`). */
export function compareVersions(a: string, b: string): number {
  return a.localeCompare(b, 'en', {numeric: true})
}

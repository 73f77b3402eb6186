import {writeFile} from 'node:fs/promises'
import type {Sandbox} from './atomctl.ts'
import {trustOwnKey} from './packages.ts'

export interface DevServices {
  readonly pid: number
  readonly registryUrl: string
  readonly runtimeUrl: string
}

/** Starts the embedded registry and runtime of this sandbox on free ports. */
export async function startServices(sandbox: Sandbox): Promise<DevServices> {
  const {code, stderr} = await sandbox.atomctl(['dev', 'up', '--registry-port', '0', '--runtime-port', '0'])
  if (code !== 0) throw new Error(`dev up: ${stderr}`)
  return readServices(sandbox)
}

export async function readServices(sandbox: Sandbox): Promise<DevServices> {
  const {stdout} = await sandbox.atomctl(['dev', 'status', '-o', 'json'])
  const {data} = JSON.parse(stdout) as {data: {pid: number; services: {name: string; url: string}[]}}
  const urlOf = (name: string): string => data.services.find((service) => service.name === name)?.url ?? ''
  return {pid: data.pid, registryUrl: urlOf('registry'), runtimeUrl: urlOf('runtime')}
}

export async function stopServices(sandbox: Sandbox): Promise<void> {
  await sandbox.atomctl(['dev', 'down'])
}

/** Writes packages, signs them with the key that the sandbox's person trusts, and starts the services. */
export async function serveSigned(sandbox: Sandbox, packages: Readonly<Record<string, string>>): Promise<void> {
  await trustOwnKey(sandbox)
  for (const [file, text] of Object.entries(packages)) await writeFile(sandbox.path(file), text)
  const {code, stderr} = await sandbox.atomctl(['sign', ...Object.keys(packages)])
  if (code !== 0) throw new Error(`cannot sign: ${stderr}`)
  await startServices(sandbox)
}

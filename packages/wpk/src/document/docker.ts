import {posix} from 'node:path'
import type {Json, JsonObject} from '../canonical.ts'
import type {ActionRefusal} from './kubernetes.ts'

/** What docker handlers mean, as far as the config alone can tell: shared by `validate` and the runtime. */
export interface Mount {
  /** Relative to the package, or absolute: a path of the host. */
  readonly source: string
  readonly target: string
  readonly readOnly: boolean
}

/** A mapping, or `source:target` with `:ro` or `:rw` behind it; undefined for anything else. Read-only by default. */
export function readMount(value: Json): Mount | undefined {
  if (typeof value === 'string') {
    const [, source = '', target = '', mode = 'ro'] = /^([^:]+):([^:]+)(?::(ro|rw))?$/.exec(value) ?? []
    return source === '' ? undefined : {source, target, readOnly: mode === 'ro'}
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const {source, target, read_only: readOnly = true} = value
  if (typeof source !== 'string' || typeof target !== 'string') return undefined
  return {source, target, readOnly: readOnly === true}
}

/** Where a runtime puts its own: the package's files, and what carries outputs. */
export const CONTAINER_PATHS = {package: '/package', own: '/atom'} as const

/** Why a runtime refuses a docker handler: each of these hands the host to the container, or cannot be done. */
export function refuseContainer(config: JsonObject): ActionRefusal | undefined {
  const {privileged, network, mounts} = config
  if (privileged === true) return {key: 'privileged', message: 'a privileged container owns the host'}
  if (typeof network === 'string' && /^(host$|container:|ns:)/.test(network))
    return {key: 'network', message: `network ${network} is not the container's own; name none, bridge or a network`}
  return Array.isArray(mounts) ? refuseMounts(mounts) : undefined
}

function refuseMounts(mounts: readonly Json[]): ActionRefusal | undefined {
  const targets = new Set<string>()
  for (const [index, value] of mounts.entries()) {
    const mount = readMount(value)
    const target = posix.normalize(mount?.target ?? '').replace(/(?<=.)\/$/, '')
    const problem = mount
      ? (sourceProblem(mount.source) ?? targetProblem(target, targets))
      : 'is not source:target, with :ro or :rw behind it'
    if (problem !== undefined) return {key: `mounts[${index}]`, message: `mount ${describe(value)} ${problem}`}
    targets.add(target)
  }
  return undefined
}

function describe(value: Json): string {
  const mount = readMount(value)
  return JSON.stringify(mount ? `${mount.source}:${mount.target}` : value).slice(0, 200)
}

function sourceProblem(source: string): string | undefined {
  if (source.includes('${')) return 'has a placeholder; what is mounted is not for parameters to say'
  if (source.includes('\0')) return 'holds a NUL character'
  const normal = posix.normalize(source).replace(/(?<=.)\/$/, '')
  if (posix.isAbsolute(normal))
    return reachesEngine(normal) ? "reaches a container engine's socket, which owns the host" : undefined
  return normal === '..' || normal.startsWith('../') ? 'leaves the package' : undefined
}

/** Sockets of engines, and folders below which they, or the whole host once more, are found. */
const SOCKETS = [
  '/var/run/docker.sock',
  '/run/docker.sock',
  '/run/podman/podman.sock',
  '/run/containerd/containerd.sock',
  '/run/crio/crio.sock',
  '/var/run/podman/podman.sock',
]
const DOORS = ['/run/user', '/var/run/user', '/proc', '/dev']

/** Whether a path of the host is, holds or lies where a container engine can be spoken to. */
export function reachesEngine(path: string, sockets: readonly string[] = []): boolean {
  if (path === '/' || path.endsWith('.sock')) return true
  if (DOORS.some((door) => path === door || path.startsWith(`${door}/`))) return true
  return [...SOCKETS, ...DOORS, ...sockets].some((socket) => socket === path || socket.startsWith(`${path}/`))
}

function targetProblem(target: string, targets: ReadonlySet<string>): string | undefined {
  if (!posix.isAbsolute(target) || target === '/') return 'does not name a folder in the container'
  if (targets.has(target)) return `mounts over another mount at ${target}`
  const taken = Object.values(CONTAINER_PATHS).find((path) => target === path || target.startsWith(`${path}/`))
  return taken === undefined ? undefined : `mounts over ${taken}, where the runtime puts its own`
}

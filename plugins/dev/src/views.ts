import {printable, type View} from '@atomctl/sdk/output'

/** What `serve` serves. */
export interface Served {
  registry_url?: string
  runtime_url?: string
  /** The data directory, or the word PostgreSQL. */
  storage: string
  pid: number
  version: string
}

export const servedView: View<Served> = {
  kind: 'Services',
  text: (served, style) =>
    [
      `${style.good('[SUCCESS]')} Ready`,
      ...urlLines(served),
      `  Storage: ${printable(served.storage)}`,
      '  Stop: Ctrl-C',
    ].join('\n'),
  names: urls,
}

/** What `dev up` leaves running. */
export interface Started {
  already_running: boolean
  pid: number
  registry_url: string
  runtime_url: string
  data_directory: string
  log: string
  context: string
  /** Whether commands use the context without being told to. */
  current: boolean
  trust_policy: string
  /** Whether the policy trusts anyone yet: the file exists. */
  has_trust_policy: boolean
}

export const startedView: View<Started> = {
  kind: 'DevServices',
  text: (started, style) =>
    [
      started.already_running
        ? 'The services already run'
        : `${style.good('[SUCCESS]')} Registry and runtime are ready`,
      ...urlLines(started),
      `  Context: ${started.context}${started.current ? ' (current)' : ` (use it: atomctl context use ${started.context})`}`,
      `  Data: ${printable(started.data_directory)}`,
      '  Stop: atomctl dev down',
      '  Approvals: single-user, so you may approve what you asked for yourself',
      ...(started.has_trust_policy ? [] : ['', 'No signing key is trusted yet: atomctl keys generate --trust']),
    ].join('\n'),
  names: urls,
}

/** What `dev down` did. */
export interface Stopped {
  stopped: boolean
  pid?: number
  /** The services did not end by themselves in time. */
  forced: boolean
}

export const stoppedView: View<Stopped> = {
  kind: 'DevServices',
  text: ({stopped, forced}, style) => {
    if (!stopped) return 'Nothing runs'
    return `${style.good('[SUCCESS]')} Registry and runtime stopped${forced ? ' (they had to be killed)' : ''}`
  },
  names: ({pid}) => (pid === undefined ? [] : [String(pid)]),
}

export interface ServiceHealth {
  name: 'registry' | 'runtime'
  url: string
  pid: number
  health: string
}

/** What `dev status` found. */
export interface DevStatus {
  running: boolean
  pid?: number
  version?: string
  ready_at?: string
  data_directory?: string
  log?: string
  rss_bytes?: number
  services: ServiceHealth[]
}

export const statusView: View<DevStatus> = {
  kind: 'DevStatus',
  text: (status, style) => {
    if (!status.running) return 'The services do not run'
    return [
      `${style.good('Running')} since ${status.ready_at} (pid ${status.pid}, version ${status.version})`,
      ...status.services.map(({name, url, health}) => `  ${TITLES[name]}: ${url} ${paintHealth(health, style)}`),
      ...(status.rss_bytes === undefined ? [] : [`  Memory: ${Math.round(status.rss_bytes / 2 ** 20)} MiB`]),
      `  Data: ${printable(status.data_directory ?? '')}`,
      `  Log: ${printable(status.log ?? '')}`,
    ].join('\n')
  },
  names: ({pid}) => (pid === undefined ? [] : [String(pid)]),
}

const TITLES = {registry: 'Registry', runtime: 'Runtime'} as const

function paintHealth(health: string, style: {good(text: string): string; bad(text: string): string}): string {
  return health === 'healthy' ? style.good(health) : style.bad(printable(health))
}

/** What `dev reset` removed. */
export interface Reset {
  data_directory: string
  stopped: boolean
}

export const resetView: View<Reset> = {
  kind: 'DevReset',
  text: ({data_directory: directory, stopped}, style) =>
    [
      `${style.good('[SUCCESS]')} Data deleted: ${printable(directory)}`,
      ...(stopped ? ['  The services were stopped first; start them again: atomctl dev up'] : []),
    ].join('\n'),
  names: ({data_directory: directory}) => [directory],
}

function urlLines({registry_url: registry, runtime_url: runtime}: {registry_url?: string; runtime_url?: string}) {
  return [...(registry ? [`  Registry: ${registry}`] : []), ...(runtime ? [`  Runtime: ${runtime}`] : [])]
}

function urls({registry_url: registry, runtime_url: runtime}: {registry_url?: string; runtime_url?: string}): string[] {
  return [registry, runtime].filter((url) => url !== undefined)
}

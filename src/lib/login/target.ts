import type {AtomContext} from '@atomctl/sdk/context'
import {AtomError} from '@atomctl/sdk/errors'
import {normalizeBaseUrl} from '@atomctl/sdk/http'

export type ServiceName = 'registry' | 'runtime'

/** One service that a login is for. */
export interface LoginTarget {
  readonly service: ServiceName
  readonly origin: string
}

/**
 * The services a login is for: registry and runtime where both URLs come from the same place, else the one that was
 * named more directly. A URL that only a project's file names was chosen by whoever wrote that file, and gets no token.
 * @throws USAGE, CONFIG_INVALID
 */
export function loginTargets({configuration}: AtomContext, only: ServiceName | undefined): LoginTarget[] {
  const names = only === undefined ? (['registry', 'runtime'] as const) : [only]
  const settings = names.flatMap((service) => {
    const setting = configuration.get(`${service}_url`)
    return setting ? [{service, ...setting}] : []
  })
  const rank = ({origin: {kind, context}}: (typeof settings)[number]): number => STRENGTH[kind] * 2 - (context ? 1 : 0)
  const strongest = Math.min(...settings.map(rank))
  const chosen = settings.filter((setting) => rank(setting) === strongest)
  const project = chosen.find(({origin}) => origin.kind === 'project')
  if (project) throw ofProject(project.service, project.origin.where)
  return chosen.map(({service, value, origin}) => {
    return {service, origin: new URL(normalizeBaseUrl(String(value), origin.where)).origin}
  })
}

const STRENGTH = {flag: 1, environment: 2, project: 3, user: 4, default: 5} as const

function ofProject(service: ServiceName, where: string): AtomError {
  return new AtomError('USAGE', `the URL of the ${service} comes from ${where}, not from you`, {
    hint: `if you trust it: atomctl login --${service}-url URL, or make a context of your own`,
  })
}

/** The origins, each once. */
export function originsOf(targets: readonly LoginTarget[]): string[] {
  return [...new Set(targets.map(({origin}) => origin))]
}

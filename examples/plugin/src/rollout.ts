import {AtomError} from '@atomctl/sdk/errors'

export interface Rollout {
  readonly id: string
  readonly signedBy: string
  readonly sites: string[]
}

/** @throws USAGE when a site's name cannot be one */
export function planRollout(id: string, signedBy: string, list: string): Rollout {
  const sites = [...new Set(list.split(',').map((site) => site.trim()))].toSorted()
  const wrong = sites.find((site) => !/^[a-z][a-z0-9-]*$/.test(site))
  if (wrong === undefined) return {id, signedBy, sites}
  throw new AtomError('USAGE', `${JSON.stringify(wrong)} is not the name of a site`, {
    hint: 'atomctl fleet deploy FILE berlin,oslo',
  })
}

import {refuseContainer} from '../docker.ts'
import {finding, placedHandlers} from './rule.ts'
import type {SemanticRule} from './rule.ts'

/** What a runtime would refuse to run is said here already; what is merely risky is the security lint's. */
export const checkContainers: SemanticRule = (wpk) =>
  placedHandlers(wpk)
    .filter(({handler}) => handler.type === 'docker')
    .flatMap(({handler: {config}, path}) => {
      const refused = refuseContainer(config)
      if (!refused) return []
      const message = `A runtime refuses this: ${refused.message}`
      return [finding('warning', 'docker_unsupported', `${path}.config.${refused.key}`, message)]
    })

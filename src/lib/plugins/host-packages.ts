import {registerHooks} from 'node:module'
import {pathToFileURL} from 'node:url'

/** What a plugin always gets from atomctl: one context, one gate and one kind of verified package in a process. */
const HOST_ONLY = /^@atomctl\/(sdk|wpk|protocol)(\/|$)/
/** What it gets from atomctl where it brings none. */
const HOST_ELSE = /^@oclif\/core(\/|$)/

/**
 * Lets plugins import the SDK without having installed it: from their folders these names mean atomctl's own packages.
 * Nobody can slip in another `@atomctl/sdk` through a registry either. `host` is the URL of a file of atomctl.
 */
export function shareHostPackages(roots: readonly string[], host: string): void {
  const folders = roots.map((root) => `${pathToFileURL(root).href}/`)
  const isPlugin = (url: string | undefined): boolean =>
    url !== undefined && folders.some((folder) => url.startsWith(folder))
  registerHooks({
    resolve(specifier, context, next) {
      if (!isPlugin(context.parentURL)) return next(specifier, context)
      if (HOST_ONLY.test(specifier)) return next(specifier, {...context, parentURL: host})
      if (!HOST_ELSE.test(specifier)) return next(specifier, context)
      try {
        return next(specifier, context)
      } catch {
        return next(specifier, {...context, parentURL: host})
      }
    },
  })
}

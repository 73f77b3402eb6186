// Preload (`node --import`): every …/lib/x.js of this repository is read from …/src/x.ts, by Node's own type
// stripping. Tests and bin/dev.mjs so run the sources, with no build in between.
import {existsSync} from 'node:fs'
import {registerHooks} from 'node:module'

const root = new URL('..', import.meta.url).href

registerHooks({
  resolve(specifier, context, nextResolve) {
    const candidate = sourceOf(specifier, context.parentURL)
    if (candidate) return {url: candidate, format: 'module-typescript', shortCircuit: true}
    const found = nextResolve(specifier, context)
    const source = toSource(found.url)
    return source ? {...found, url: source, format: 'module-typescript'} : found
  },
})

/** `./x.js` inside the sources, and lib URLs that were never built, resolve without the file in lib/ existing. */
function sourceOf(specifier, parent) {
  if (specifier.startsWith('file:')) return toSource(specifier)
  if (specifier.startsWith('@atomctl/')) return workspaceSource(specifier)
  return specifier.startsWith('.') && parent ? toSource(new URL(specifier, parent).href) : undefined
}

const ROOMS = {
  wpk: 'packages',
  protocol: 'packages',
  sdk: 'packages',
  storage: 'services',
  registry: 'services',
  runtime: 'services',
}

function workspaceSource(specifier) {
  const [, name, ...rest] = specifier.split('/')
  if (!(name in ROOMS)) return undefined
  const base = new URL(`${ROOMS[name]}/${name}/src/`, root)
  const path = rest.join('/')
  const candidates = path ? [`${path}.ts`, `${path}/index.ts`] : ['index.ts']
  return candidates.map((file) => new URL(file, base)).find((url) => existsSync(url))?.href
}

function toSource(url) {
  if (!url.startsWith(root) || url.includes('/node_modules/')) return undefined
  const source = url.replace(/\/lib\/(.*)\.js$/, '/src/$1.ts')
  return source !== url && existsSync(new URL(source)) ? source : undefined
}

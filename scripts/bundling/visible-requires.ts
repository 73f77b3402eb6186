import {readFile} from 'node:fs/promises'
import type {Plugin} from 'esbuild'

const LOADER = /^const (\w+) = createRequire\(import\.meta\.url\);?$/m

/**
 * Our modules are ES modules and have no `require`: what must be loaded late but at once goes through
 * `const load = createRequire(import.meta.url)` at a module's top, which a bundler does not see. Here it is given one.
 */
export const visibleRequires: Plugin = {
  name: 'visible-requires',
  setup(build) {
    build.onLoad({filter: /[/\\]packages[/\\]\w+[/\\]lib[/\\].*\.js$/}, async ({path}) => {
      const source = await readFile(path, 'utf8')
      const name = LOADER.exec(source)?.[1]
      if (name === undefined) return undefined
      return {contents: source.replace(LOADER, '').replaceAll(`${name}(`, 'require('), loader: 'js'}
    })
  },
}

import {readFile} from 'node:fs/promises'
import type {Plugin} from 'esbuild'

/**
 * oclif's modules load each other when each is loaded, so that one command pays for help, spinners and the search for
 * commands it never uses. They are compiled by tsc to `const x_1 = require("…")` and used as `x_1.name`; this makes each
 * such line a function that requires on first use. What a module does at its top is done then, too.
 */
export const lazyOclif: Plugin = {
  name: 'lazy-oclif',
  setup(build) {
    build.onLoad({filter: /[/\\]@oclif[/\\]core[/\\]lib[/\\].*\.js$/}, async ({path}) => ({
      contents: deferRequires(await readFile(path, 'utf8')),
      loader: 'js',
    }))
  },
}

const REQUIRE = /^const (\w+) = ((?:__import(?:Default|Star)\()?require\("[^"]+"\)\)?);$/gm

/** The same module with its top-level requires put off. */
export function deferRequires(source: string): string {
  const deferred: string[] = []
  const rest = source.replaceAll(REQUIRE, (_line, name: string, expression: string) => {
    deferred.push(name)
    // the name must not stand here as a word, or the second pass would replace it too
    return `let value_of_${name}; const load_${name} = () => (value_of_${name} ??= ${expression});`
  })
  return deferred.reduce((text, name) => text.replaceAll(new RegExp(`\\b${name}\\b`, 'g'), `(load_${name}())`), rest)
}

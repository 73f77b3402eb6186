import type {Plugin} from 'esbuild'

/**
 * Dependencies that few commands need, by the file each goes to. A file of a megabyte takes longer to read than most
 * commands take to run, so these stay out of the main one and are read on first use. What belongs together (one
 * package's types checked by another's `instanceof`) shares a file.
 */
export const SHELVES: Readonly<Record<string, Shelf>> = {
  archive: {from: 'packages/wpk', packages: ['tar-stream']},
  'json-schema': {from: 'packages/wpk', packages: ['ajv', 'ajv-formats']},
  keys: {from: 'packages/wpk', packages: ['@noble/ciphers/salsa.js']},
  oclif: {
    from: 'node_modules/@oclif/core',
    packages: [
      'ansis',
      'cli-spinners',
      'debug',
      'ejs',
      'indent-string',
      'lilconfig',
      'minimatch',
      'string-width',
      'supports-color',
      'tinyglobby',
      'widest-line',
      'wordwrap',
      'wrap-ansi',
    ],
  },
  semver: {from: '.', packages: ['semver']},
  sigstore: {
    from: 'packages/sdk',
    packages: [
      '@sigstore/bundle',
      '@sigstore/core',
      '@sigstore/protobuf-specs',
      '@sigstore/sign',
      '@sigstore/tuf',
      '@sigstore/verify',
    ],
  },
}

export interface Shelf {
  /** Whose dependencies they are: the folder they are resolved from, relative to the repository. */
  readonly from: string
  readonly packages: readonly string[]
}

/** Where the shelves lie, relative to the files that read them. */
export const SHELF_FOLDER = 'shelves'

const SHELF_OF = new Map(
  Object.entries(SHELVES).flatMap(([shelf, {packages}]) => packages.map((name) => [name, shelf])),
)
const NAMESPACE = 'shelved'

/** Reads a shelved dependency from its shelf, when the module that imports it is first evaluated. */
export const shelved: Plugin = {
  name: 'shelved',
  setup(build) {
    build.onResolve({filter: /^[@a-z]/}, ({path, namespace}) =>
      SHELF_OF.has(path) && namespace !== NAMESPACE ? {path, namespace: NAMESPACE} : undefined,
    )
    build.onResolve({filter: /^\.\/shelves\//, namespace: NAMESPACE}, ({path}) => ({path, external: true}))
    build.onLoad({filter: /.*/, namespace: NAMESPACE}, ({path}) => {
      const take = `require('./${SHELF_FOLDER}/${SHELF_OF.get(path)}.cjs')[${JSON.stringify(path)}]`
      return {contents: path === 'debug' ? quiet(take) : `module.exports = ${take}`, loader: 'js'}
    })
  },
}

/** oclif makes dozens of loggers at every start, for nobody unless DEBUG is set. */
function quiet(take: string): string {
  return [
    'const silent = () => Object.assign(() => {}, {enabled: false, extend: silent})',
    `module.exports = process.env.DEBUG ? ${take} : silent`,
  ].join('\n')
}

/** The source of one shelf: each package under its name, evaluated when it is taken down. */
export function shelfSource({packages}: Shelf): string {
  const getters = packages.map((name) => `get ${JSON.stringify(name)}() { return require(${JSON.stringify(name)}) },`)
  return `module.exports = {\n${getters.join('\n')}\n}\n`
}

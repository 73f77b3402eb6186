import {createHash} from 'node:crypto'
import {mkdir, writeFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {gzipSync} from 'node:zlib'
import {pack} from 'tar-stream'

export interface PluginOptions {
  name?: string
  version?: string
  /** Command ids; each prints `ran ID VERSION`. */
  commands?: string[]
  aliases?: string[]
  hooks?: Record<string, string>
  /** More files, or other content for one of the usual. */
  files?: Record<string, string>
  /** More of package.json. */
  pjson?: object
  oclif?: object
  manifest?: boolean
}

/** The files of a small plugin: a command, perhaps hooks, a manifest. */
export function pluginFiles(options: PluginOptions = {}): Record<string, string> {
  const {
    name = '@acme/tool',
    version = '1.0.0',
    commands = ['acme:hello'],
    hooks,
    files = {},
    oclif,
    manifest = true,
  } = options
  const pjson = {
    name,
    version,
    type: 'module',
    oclif: {bin: 'atomctl', commands: './commands', topicSeparator: ' ', ...(hooks ? {hooks} : {}), ...oclif},
    ...options.pjson,
  }
  const sources = commands.map((id) => [`commands/${id.replaceAll(':', '/')}.js`, commandSource(id, version)])
  const described = commands.map((id) => [id, describeCommand(id, options)])
  return {
    'package.json': JSON.stringify(pjson),
    ...Object.fromEntries(sources),
    ...(manifest ? {'oclif.manifest.json': JSON.stringify({version, commands: Object.fromEntries(described)})} : {}),
    ...files,
  }
}

function commandSource(id: string, version: string): string {
  return `import {AtomCommand} from '@atomctl/sdk/command'
export default class extends AtomCommand {
  async run() {
    process.stdout.write('ran ${id} ${version}\\n')
  }
}
`
}

function describeCommand(id: string, {name = '@acme/tool', aliases = []}: PluginOptions): object {
  return {
    id,
    aliases,
    hiddenAliases: [],
    args: {},
    flags: {},
    isESM: true,
    pluginAlias: name,
    pluginName: name,
    pluginType: 'core',
    relativePath: ['commands', ...`${id.replaceAll(':', '/')}.js`.split('/')],
    strict: true,
  }
}

/** As `npm pack` writes it. */
export async function packFiles(files: Readonly<Record<string, string>>): Promise<Buffer> {
  const stream = pack()
  for (const [path, content] of Object.entries(files)) stream.entry({name: `package/${path}`}, content)
  stream.finalize()
  const chunks: Uint8Array[] = []
  for await (const chunk of stream as AsyncIterable<Uint8Array>) chunks.push(chunk)
  return gzipSync(Buffer.concat(chunks))
}

export async function packPlugin(options: PluginOptions = {}): Promise<Buffer> {
  return packFiles(pluginFiles(options))
}

export async function writePlugin(folder: string, options: PluginOptions = {}): Promise<string> {
  for (const [path, content] of Object.entries(pluginFiles(options))) {
    await mkdir(dirname(join(folder, path)), {recursive: true})
    await writeFile(join(folder, path), content)
  }
  return folder
}

export function integrityOf(bytes: Uint8Array): string {
  return `sha512-${createHash('sha512').update(bytes).digest('base64')}`
}

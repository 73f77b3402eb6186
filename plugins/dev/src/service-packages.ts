import {readFile} from 'node:fs/promises'
import {fileURLToPath} from 'node:url'
import {AtomError} from '@atomctl/sdk/errors'

/** How the services are loaded, each on its first use. */
export interface ServicePackages {
  loadRegistry(): Promise<typeof import('@atomctl/registry')>
  loadRuntime(): Promise<typeof import('@atomctl/runtime')>
  loadStorage(): Promise<typeof import('@atomctl/storage')>
}

interface InstalledServices extends ServicePackages {
  readonly version: string
}

const PACKAGE = '@atomctl/services'

const OWN: ServicePackages = {
  loadRegistry: () => import('@atomctl/registry'),
  loadRuntime: () => import('@atomctl/runtime'),
  loadStorage: () => import('@atomctl/storage'),
}

/**
 * The services weigh several times what the client does, so an installation need not have them: they are this plugin's own
 * dependencies in a checkout, and the package `@atomctl/services` beside or inside an installed atomctl.
 * @throws SERVICES_NOT_INSTALLED when they are missing, or of another version than this plugin
 */
export async function servicePackages(): Promise<ServicePackages> {
  if (isInstalled('@atomctl/storage')) return OWN
  const wanted = await ownVersion()
  if (!isInstalled(PACKAGE)) throw await missing('the registry and the runtime are not installed', wanted)
  const installed = (await import(PACKAGE)) as InstalledServices
  if (installed.version === wanted) return installed
  throw await missing(`${PACKAGE} is version ${installed.version} and this is atomctl ${wanted}`, wanted)
}

/** Whether Node finds a package from here, without loading it. */
function isInstalled(name: string): boolean {
  try {
    import.meta.resolve(name)
    return true
  } catch {
    return false
  }
}

async function ownVersion(): Promise<string> {
  const manifest = await readFile(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as {version: string}).version
}

async function missing(problem: string, version: string): Promise<AtomError> {
  return new AtomError('SERVICES_NOT_INSTALLED', problem, {hint: await installCommand(version)})
}

// ROOT/node_modules/@atomctl/plugin-dev/lib
const ROOT = new URL('../../../../', import.meta.url)

/** What to type where this copy came from; the files lie beside the one it was installed from (docs/install.md). */
async function installCommand(version: string): Promise<string> {
  const build = await readFile(new URL('build.json', ROOT), 'utf8').catch(() => '{}')
  const {kind} = JSON.parse(build) as {kind?: string}
  const archive = `atomctl-services-${version}.tgz`
  if (kind === 'deb') return `sudo dpkg -i atomctl-services_${version}_all.deb`
  if (kind !== 'standalone') return `npm install -g ./${archive}`
  const folder = fileURLToPath(new URL('node_modules/@atomctl/services', ROOT))
  return `mkdir -p ${folder} && tar -xzf ${archive} -C ${folder} --strip-components=1`
}

import type {AtomContext} from '@atomctl/sdk/context'
import {AtomError} from '@atomctl/sdk/errors'
import type {Installation, InstallKind} from '../installation.ts'
import {checkForUpdate, type FoundRelease} from './check.ts'
import {updateSettings} from './settings.ts'

/** What `version --check` learned; all of it stands in a listing whose signature was verified. */
export interface UpdateReport {
  running: string
  listed: string
  available: boolean
  listing: string
  signer: string
  /** The file for an installation like this one, where the release has it. */
  file?: {url: string; digest: string}
}

/** Asks for a newer version. @throws CONFIG_INVALID without `update_url`, and what checkForUpdate throws */
export async function reportUpdate(atom: AtomContext, installation: Installation): Promise<UpdateReport> {
  const settings = updateSettings(atom.configuration)
  if (!settings) {
    throw new AtomError('CONFIG_INVALID', 'no update_url says where releases are, and none is built in', {
      hint: 'atomctl config set update_url https://…   # the folder of SHA256SUMS; then update_key',
    })
  }
  const found = await checkForUpdate(settings, atom, installation.version).finally(() => atom.close())
  const {version: listed, url, signer, isOffered: available} = found
  return {
    running: installation.version,
    listed,
    available,
    listing: `${url}/SHA256SUMS`,
    signer,
    ...(available ? fileFor(found, installation) : {}),
  }
}

function fileFor({files, url, version}: FoundRelease, {kind, platform}: Installation): Pick<UpdateReport, 'file'> {
  const file = files.find(({name}) => name === NAMES[kind](version, platform))
  return file ? {file: {url: `${url}/${file.name}`, digest: `sha256:${file.digest}`}} : {}
}

const npmName = (version: string): string => `atomctl-${version}.tgz`

const NAMES: Readonly<Record<InstallKind, (version: string, platform: string) => string>> = {
  npm: npmName,
  source: npmName,
  standalone: (version, platform) => `atomctl-${version}-${platform}.tar.gz`,
  deb: (version, platform) => `atomctl_${version}_${platform === 'linux-x64' ? 'amd64' : 'arm64'}.deb`,
}

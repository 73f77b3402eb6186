import type {Finding} from '../../document/finding.ts'
import {issue} from '../catalogue.ts'
import type {Subjects} from '../subjects.ts'
import {commandsIn} from './command-line.ts'
import {hostOf, isExternalHost} from './hosts.ts'

export function findExternalNetwork({commands, requests}: Subjects): Finding[] {
  const fromCommands = commands.flatMap(({value, path}) => {
    const host = externalHostIn(value)
    return host === undefined ? [] : [issue('external_network', path, `The command reaches out to ${host}`)]
  })
  return [...fromCommands, ...requests.flatMap(({url, path}) => requestFindings(url, path))]
}

/**
 * An api handler says in the open where it goes: over https that is worth a note, not points. Without TLS anybody on
 * the way reads and writes along.
 */
function requestFindings(url: string, path: string): Finding[] {
  const scheme = /^(https?):\/\//i.exec(url)?.[1]?.toLowerCase()
  const host = hostOf(url)
  if (scheme === undefined || host.includes('${') || !isExternalHost(host)) return []
  if (scheme === 'https') return [issue('external_network', path, `The handler calls ${host}`, 'low')]
  return [issue('external_network', path, `The handler calls ${host} without TLS`)]
}

type Finder = (words: string[]) => string | undefined

const PROGRAMS: Record<string, Finder> = {
  curl: findDownload,
  wget: findDownload,
  nc: findPeer,
  ncat: findPeer,
  netcat: findPeer,
  ssh: findLogin,
  scp: findLogin,
  sftp: findLogin,
  rsync: findLogin,
}

function externalHostIn(text: string): string | undefined {
  for (const [program = '', ...words] of commandsIn(text)) {
    const finder = PROGRAMS[program.slice(program.lastIndexOf('/') + 1).toLowerCase()]
    const host = finder?.(words)
    if (host !== undefined) return host
  }
  return undefined
}

/** Options of curl and wget whose next word is no URL. */
const WITH_ARGUMENT =
  /^(?:-[a-zA-Z]*[oHdXuTFAbcewCmKPUtr]|--(?:output|header|data[a-z-]*|request|user|upload-file|form|user-agent|cookie[a-z-]*|referer|write-out|config|max-time|connect-timeout|retry[a-z-]*|cacert|cert|key|output-document|directory-prefix|method|body-[a-z]+|tries|timeout))$/

function findDownload(words: string[]): string | undefined {
  let skip = false
  for (const word of words) {
    if (skip) skip = false
    else if (word.startsWith('-') && !word.includes('://')) skip = WITH_ARGUMENT.test(word)
    else if (isExternalTarget(word)) return hostOf(word)
  }
  return undefined
}

/** With a scheme even a placeholder host counts, as it always has; without one only what looks like a host does. */
function isExternalTarget(word: string): boolean {
  const host = hostOf(word)
  if (/^(?:https?|ftps?):\/\//i.test(word)) return host.includes('$') || isExternalHost(host)
  return /^(?:[a-z0-9-]+\.)+[a-z]{2,}$/i.test(host) && isExternalHost(host)
}

function findPeer(words: string[]): string | undefined {
  return words.find((word) => /^(?:[a-z0-9-]+\.)+[a-z]{2,}$/i.test(word) && isExternalHost(word))
}

function findLogin(words: string[]): string | undefined {
  const login = words.find((word) => /@(?:[a-z0-9-]+\.)+[a-z]{2,}(?::|$)/i.test(word))
  const host = login?.replace(/^.*@/, '').replace(/:.*$/, '')
  return host !== undefined && isExternalHost(host) ? host : undefined
}

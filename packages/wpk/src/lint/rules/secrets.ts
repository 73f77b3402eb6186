import type {Finding} from '../../document/finding.ts'
import {issue} from '../catalogue.ts'
import type {Subjects} from '../subjects.ts'
import {textsIn} from '../values.ts'
import {inOrder} from './command-line.ts'
import type {PlacedText} from '../values.ts'

/** One finding per string, and never the secret itself in a message. */
export function findHardcodedSecrets({configurations}: Subjects): Finding[] {
  const findings = new Map<string, Finding>()
  for (const {value, path} of configurations) {
    for (const text of textsIn(value, path)) {
      const what = describeSecret(text)
      if (what !== undefined) findings.set(text.path, issue('hardcoded_secrets', text.path, `Holds ${what}`))
    }
  }
  return [...findings.values()]
}

function describeSecret({value, key}: PlacedText): string | undefined {
  if (value.length < 8) return undefined
  if (TOKENS.test(value)) return 'what looks like an access token or private key'
  if (USER_INFO.test(value)) return 'a password in a URL'
  if (value.split(/[\n;|]/).some((line) => inOrder(line, LOGIN_OPTION))) return 'a user name with its password'
  if (isSecretName(key, FIELD_WORDS) && isLiteral(value)) return `a literal value for ${key}`
  const name = assignedSecret(value)
  return name === undefined ? encodedSecret(value) : `a literal value for ${name}`
}

/** Forms that issuers give their credentials so that scanners find them. */
const TOKENS =
  /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{30,}|\bgithub_pat_\w{30,}|\bglpat-[\w-]{20,}|\bxox[abprs]-[\w-]{10,}|\bhooks\.slack\.com\/services\/T\w+\/B\w+\/\w+|\beyJ[\w-]{10,400}\.eyJ[\w-]{10,400}\.[\w-]|\b[sr]k_live_\w{16,}|\bhv[sb]\.[\w-]{20,}|-----BEGIN [A-Z ]*PRIVATE KEY-----/

const USER_INFO = /\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s/:@$]{0,200}:[^\s/@$]{3,200}@/i

const LOGIN_OPTION = [/\b(?:curl|wget)\b/, /\s(?:-u|--user)[ =]["']?[\w.-]{1,200}:(?!\$)[^\s"'$]{3}/]

/** `password` in DB_PASSWORD and dbPassword, not in passwordFile; `key` alone is a word of every YAML. */
const WORDS = new Set(['password', 'passwd', 'pwd', 'passphrase', 'secret', 'token', 'key', 'apikey', 'authorization'])
const FIELD_WORDS = new Set([...WORDS].filter((word) => word !== 'key'))
const KEY_OWNERS = new Set(['api', 'access', 'private', 'secret', 'signing', 'encryption', 'master'])

function isSecretName(name: string, words: ReadonlySet<string>): boolean {
  const parts = name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter(Boolean)
  const last = parts.at(-1) ?? ''
  return words.has(last) || (last === 'key' && KEY_OWNERS.has(parts.at(-2) ?? ''))
}

/** Not a placeholder, a substitution or a hint in brackets. */
function isLiteral(value: string): boolean {
  return !/[$]\{|\$\(|\$[A-Za-z_]|`|^<.*>$|^\{\{.*\}\}$/.test(value) && !/^\*+$/.test(value) && /\S{8,}/.test(value)
}

/** The value is only looked at, so that in `--from-literal=password=…` the second name is found too. */
const ASSIGNMENT =
  /(?<!\w)(?<!\w-)([A-Za-z][\w-]{0,100})["']?\s{0,8}[:=]\s{0,8}(?=("[^"\s]{8,200}"|'[^'\s]{8,200}'|[^\s"'`;|&,)}]{8,200}))/g

function assignedSecret(text: string): string | undefined {
  for (const [, name, value] of text.matchAll(ASSIGNMENT)) {
    const quoted = /^["']/.test(value!)
    const literal = quoted ? value!.slice(1, -1) : value!
    if (!isSecretName(name!, WORDS) || !isLiteral(literal)) continue
    if (quoted || isTelling(name!, literal)) return name
  }
  return undefined
}

/** Without quotes much is a word, a path or a file: only what has digits among letters looks made up. */
function isTelling(name: string, value: string): boolean {
  if (/^[./~-]|^\w+:\/\/|=/.test(value)) return false
  return isSecretName(name, FIELD_WORDS) && /\d/.test(value) && /[A-Za-z]/.test(value)
}

const ENCODED = /(["'])([A-Za-z0-9+/]{20,}={0,2})\1/g

/** A quoted run of base64 with all kinds of characters; words, paths, hex digests and one case alone are none. */
function encodedSecret(text: string): string | undefined {
  for (const [, , run] of text.matchAll(ENCODED)) {
    const kinds = [/[a-z]/, /[A-Z]/, /[0-9]/].every((kind) => kind.test(run!))
    if ((kinds || run!.endsWith('=')) && !run!.startsWith('/')) return 'what looks like an encoded secret'
  }
  return undefined
}

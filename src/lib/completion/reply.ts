import type {Candidate} from '@atomctl/sdk/completion'
import type {Offer} from './candidates.ts'
import type {Line} from './words.ts'

export const SHELLS = ['bash', 'zsh', 'fish', 'powershell'] as const
export type Shell = (typeof SHELLS)[number]

const MOST = 1000
const LONGEST = 512
const DESCRIPTION = 80
// Control and formatting characters (a line break, an escape, a right-to-left mark): none of them is part of a name.
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u

/**
 * What `atomctl __complete` prints, one line each: `nospace`, `files` with patterns behind tabs, `directories`, `word`
 * with what stands at the cursor, and `=value` with a description behind a tab. Values are whole words without quotes;
 * only for bash, which inserts what it is given, they are quoted and without what it keeps of the word.
 */
export function writeReply(offer: Offer, line: Line, shell: Shell): string {
  const {files, unfinished = false, directories = false} = offer
  const candidates = selectCandidates(offer.candidates, line.current, shell)
  const lines = [
    ...(unfinished && candidates.length > 0 ? ['nospace'] : []),
    ...(files ? [['files', ...files].join('\t')] : []),
    ...(directories ? ['directories'] : []),
    ...(files || directories ? [`word\t${line.current.slice(line.kept.length)}`] : []),
    ...candidates.map((candidate) => writeCandidate(candidate, line, shell, files !== undefined)),
  ]
  return lines.map((text) => `${text}\n`).join('')
}

/** Those that can be typed safely and fit; a long list only as far as it matches, since some shells match loosely. */
function selectCandidates(candidates: readonly Candidate[], current: string, shell: Shell): Candidate[] {
  const loose = shell !== 'bash' && candidates.length < MOST / 2
  const kept = new Map<string, Candidate>()
  for (const candidate of candidates) {
    if (kept.size === MOST) break
    const {value} = candidate
    if (isTypeable(value, current) && (loose || value.startsWith(current))) kept.set(value, candidate)
  }
  return [...kept.values()]
}

/** No control characters, and nothing that would be taken for a flag where none is being typed. */
function isTypeable(value: unknown, current: string): value is string {
  if (typeof value !== 'string' || value === '' || value.length > LONGEST || UNPRINTABLE.test(value)) return false
  return !value.startsWith('-') || current.startsWith('-')
}

function writeCandidate({value, description}: Candidate, line: Line, shell: Shell, withFiles: boolean): string {
  // bash quotes words itself as soon as there are files among them
  if (shell === 'bash') return `=${withFiles ? value : quoteForBash(value.slice(line.kept.length), line.quote)}`
  return description ? `=${value}\t${shorten(description)}` : `=${value}`
}

/** Backslashes outside quotes; inside open ones bash closes them, and only what means nothing there may be inserted. */
function quoteForBash(value: string, quote: Line['quote']): string {
  if (quote === "'") return value.replaceAll("'", String.raw`'\''`)
  if (quote === '"') return value.replaceAll(/[\\"$`]/g, String.raw`\$&`)
  return value.replaceAll(/[^\p{L}\p{N}_.,:@%+=/-]/gu, String.raw`\$&`)
}

function shorten(description: string): string {
  const [line = ''] = description.replaceAll(/<%=.*?%>/g, 'atomctl').split('\n')
  const clean = line.replaceAll(new RegExp(UNPRINTABLE, 'gu'), ' ').trim()
  return clean.length > DESCRIPTION ? `${clean.slice(0, DESCRIPTION - 1)}…` : clean
}

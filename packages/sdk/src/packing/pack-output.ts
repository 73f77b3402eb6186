import {stat} from 'node:fs/promises'
import {join} from 'node:path'
import {AtomError} from '../errors.ts'
import type {WpkDocument} from '@atomctl/wpk/document'

/**
 * Where the tarball goes: the path asked for, the default name inside it when it is a directory, and the default
 * name in the working directory otherwise.
 */
export async function tarballPath(asked: string | undefined, document: WpkDocument): Promise<string> {
  if (asked === '-') {
    throw new AtomError('USAGE', 'pack writes a file, not standard output', {hint: 'name it: -o FILE.wpk.tar.gz'})
  }
  if (asked === undefined) return defaultName(document)
  const isDirectory = await stat(asked).then(
    (info) => info.isDirectory(),
    () => /[/\\]$/.test(asked),
  )
  return isDirectory ? join(asked, defaultName(document)) : asked
}

// The schema allows no other characters; were it ever to, a name must still not choose a directory.
function defaultName({id, source}: WpkDocument): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._+-]*$/.test(id)) return `${id}.wpk.tar.gz`
  throw new AtomError('WPK_INVALID', `${source}: ${JSON.stringify(id)} cannot be a file name`, {
    hint: 'name the file: -o FILE',
  })
}

/** SOURCE_DATE_EPOCH (reproducible-builds.org), if it is set. @throws USAGE */
export function sourceDateEpoch(environment: Readonly<Record<string, string | undefined>>): number | undefined {
  const text = environment['SOURCE_DATE_EPOCH']
  if (text === undefined || text === '') return undefined
  if (/^\d{1,10}$/.test(text)) return Number(text)
  throw new AtomError('USAGE', `SOURCE_DATE_EPOCH is ${JSON.stringify(text)}, not whole seconds since 1970`, {
    hint: 'unset SOURCE_DATE_EPOCH',
  })
}

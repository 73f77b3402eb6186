import {printable} from '@atomctl/sdk/output'
import type {Provenance} from '@atomctl/wpk/signing'
import {instant} from './list.ts'

/** What a trusted signer states about how the package was built, in the signer's words. */
export function provenanceLines({builder, actor, builtAt, source, run}: Provenance): string[] {
  const who = actor === undefined ? builder : `${builder} for ${printable(actor)}`
  return [
    `  Built By: ${printable(who)}, ${instant(builtAt)}`,
    ...(source
      ? [`  Built From: ${source.commit}${source.dirty ? ' with changes' : ''}${ofRepository(source.repository)}`]
      : []),
    ...(run ? [`  Build: ${printable(run.url ?? run.id)}`] : []),
  ]
}

function ofRepository(repository: string | undefined): string {
  return repository === undefined ? '' : ` of ${printable(repository)}`
}

import type {JsonObject} from '@atomctl/protocol/values'
import {declarationsOf, declaredReferences, formatSecretReference, type SecretReference} from '@atomctl/wpk/parameters'

/** A secret of an execution and where to look for it, in order. */
export interface SecretNeed {
  readonly name: string
  readonly references: readonly SecretReference[]
}

/** The secrets a document declares. Only what was signed says where they are: a caller could point elsewhere. */
export function secretNeeds(document: JsonObject): SecretNeed[] {
  const secrets = declarationsOf(document)?.filter(({type}) => type === 'secret') ?? []
  return secrets.map((declaration) => ({name: declaration.name, references: declaredReferences(declaration)}))
}

/** For people: the name, and where the value would be looked for. */
export function describeNeed({name, references}: SecretNeed): string {
  return `secret ${name} from ${references.map(formatSecretReference).join(', else ') || 'nowhere'}`
}

import type {JsonObject} from '@atomctl/protocol/values'
import {AtomError} from '@atomctl/wpk/errors'
import {expandPlaceholders, placeholdersIn} from '@atomctl/wpk/parameters'

/** https://github.com/distribution/reference: host, path, tag and digest, not looked at more closely than needed. */
const REFERENCE =
  /^[a-zA-Z0-9]+([._-]+[a-zA-Z0-9]+)*(:\d{1,5}(?=\/))?(\/[a-zA-Z0-9]+([._-]+[a-zA-Z0-9]+)*)*(:\w[\w.-]{0,127})?(@sha256:[0-9a-f]{64})?$/
/** What a parameter may say inside a reference: a tag or a name, never another registry. */
const PART = /^\w[\w.-]{0,127}$/
const WHOLE = /^\$\{[^{}]+\}$/

/** Throws PARAMETER_INVALID when the parameters make no image reference. */
export function fillImage(text: string, values: JsonObject): string {
  const filled = expandPlaceholders(text, values)
  const parts = WHOLE.test(text) ? [] : placeholdersIn(text).map(({name}) => expandPlaceholders(`\${${name}}`, values))
  const odd = parts.find((part) => !PART.test(part))
  if (odd !== undefined || !REFERENCE.test(filled))
    throw new AtomError('PARAMETER_INVALID', `The parameters make no image reference of ${text}`)
  return filled
}

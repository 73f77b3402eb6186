/** The words of one call of kubectl, as far as a rehearsal answers them. */
export interface Words {
  readonly verb: string
  readonly type: string | undefined
  readonly name: string | undefined
  readonly namespace: string | undefined
  readonly selector: string | undefined
  readonly output: string | undefined
  readonly patchFile: string | undefined
  /** `key=value` of annotate and label. */
  readonly marks: readonly (readonly [string, string])[]
}

/** This runtime writes every flag with its value as one word. */
export function readWords(args: readonly string[]): Words {
  const [verb = '', ...rest] = args
  const plain = rest.filter((word) => !word.startsWith('-'))
  const flags = new Map(
    rest
      .filter((word) => word.startsWith('--'))
      .map((word) => [word.split('=')[0] ?? '', word.replace(/^[^=]*=?/, '')]),
  )
  const [type, name] = plain[0]?.split('/') ?? []
  return {
    verb,
    type,
    name,
    namespace: flags.get('--namespace'),
    selector: flags.get('--selector'),
    output: flags.get('--output'),
    patchFile: flags.get('--patch-file'),
    marks: plain.slice(1).map((word) => [word.replace(/=.*$/s, ''), word.replace(/^[^=]*=/, '')] as const),
  }
}

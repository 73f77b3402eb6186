import {AtomError} from '@atomctl/sdk/errors'
import {readSource} from '@atomctl/sdk/packing'
import {loadSigningKey, signInPlace} from '@atomctl/sdk/signing'
import {createKeylessSigner, keylessFlags} from '@atomctl/sdk/sigstore'
import * as Flags from '@oclif/core/flags'
import {batchArgs, BatchCommand, batchFlags} from '../../batch-command.ts'
import {fingerprintSource} from '../../fingerprint.ts'
import type {BatchReport, Done} from '../../item.ts'

export default class BatchSign extends BatchCommand {
  static override summary = 'Sign many packages'
  static override description = `Signs each document in its file, as "sign" does, with one key that is unlocked once. A directory below a named one that holds
one document and further files is one package, whose signature covers them. With --keyless one certificate serves the whole batch.`
  static override examples = [
    '<%= config.bin %> batch sign runbooks --key release.key',
    '<%= config.bin %> batch sign --manifest release.yaml --resume',
    '<%= config.bin %> batch sign runbooks --keyless --signing-config signing_config.json --identity-token @token.jwt',
  ]
  static override args = batchArgs
  static override flags = {
    ...batchFlags,
    ...keylessFlags,
    key: Flags.string({description: 'Private key file', helpValue: 'FILE'}),
    append: Flags.boolean({description: 'Keep the signatures that are there, and add one by this key'}),
    registry: Flags.string({description: 'Bind the signatures to this registry', helpValue: 'URL'}),
  }

  async run(): Promise<BatchReport> {
    const {args, flags} = await this.parse(BatchSign)
    const {append, registry} = flags
    if (registry !== undefined && !/^https?:$/.test(URL.parse(registry)?.protocol ?? '')) {
      throw new AtomError('USAGE', `--registry ${JSON.stringify(registry)} is not an http or https URL`, {
        hint: 'write it like https://registry.example.com',
      })
    }
    const gathered = await this.gather(args.file, flags, 'package')
    const access = {atom: this.atom, interactive: this.interactive}
    const signer = flags.keyless ? await createKeylessSigner(flags, this.atom) : await loadSigningKey(access)
    // the key of a keyless signer is another at each run; what stays is whom its certificate names
    const who = signer.claims ? `${signer.claims.identity} ${signer.claims.issuer}` : signer.keyHint
    const batch = {...gathered, operation: 'sign' as const, scope: [who, registry ?? '', ...(append ? ['append'] : [])]}
    return this.runBatch(batch, {
      fingerprint: async ({subject}) => fingerprintSource(await readSource(subject)),
      perform: async ({subject}): Promise<Done> => {
        const [signed] = await signInPlace([await readSource(subject)], async () => signer, {registry, append})
        // the signature is in the file now
        const fingerprint = await fingerprintSource(await readSource(subject))
        return {fingerprint, ...(signed?.id === undefined ? {} : {id: signed.id}), note: 'signed'}
      },
    })
  }
}

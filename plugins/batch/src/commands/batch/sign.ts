import {AtomError} from '@atomctl/sdk/errors'
import {readSource} from '@atomctl/sdk/packing'
import {loadSigningKey, signInPlace} from '@atomctl/sdk/signing'
import * as Flags from '@oclif/core/flags'
import {batchArgs, BatchCommand, batchFlags} from '../../batch-command.ts'
import {fingerprintSource} from '../../fingerprint.ts'
import type {BatchReport, Done} from '../../item.ts'

export default class BatchSign extends BatchCommand {
  static override summary = 'Sign many packages'
  static override description = `Signs each document in its file, as "sign" does, with one key that is unlocked once. A directory below a named one that holds
one document and further files is one package, whose signature covers them.`
  static override examples = [
    '<%= config.bin %> batch sign runbooks --key release.key',
    '<%= config.bin %> batch sign --manifest release.yaml --resume',
  ]
  static override args = batchArgs
  static override flags = {
    ...batchFlags,
    key: Flags.string({description: 'Private key file', helpValue: 'FILE'}),
    registry: Flags.string({description: 'Bind the signatures to this registry', helpValue: 'URL'}),
  }

  async run(): Promise<BatchReport> {
    const {args, flags} = await this.parse(BatchSign)
    const {registry} = flags
    if (registry !== undefined && !/^https?:$/.test(URL.parse(registry)?.protocol ?? '')) {
      throw new AtomError('USAGE', `--registry ${JSON.stringify(registry)} is not an http or https URL`, {
        hint: 'write it like https://registry.example.com',
      })
    }
    const gathered = await this.gather(args.file, flags, 'package')
    const signer = await loadSigningKey({atom: this.atom, interactive: this.interactive})
    const batch = {...gathered, operation: 'sign' as const, scope: [signer.keyHint, registry ?? '']}
    return this.runBatch(batch, {
      fingerprint: async ({subject}) => fingerprintSource(await readSource(subject)),
      perform: async ({subject}): Promise<Done> => {
        const [signed] = await signInPlace([await readSource(subject)], signer, registry)
        // the signature is in the file now
        const fingerprint = await fingerprintSource(await readSource(subject))
        return {fingerprint, ...(signed?.id === undefined ? {} : {id: signed.id}), note: 'signed'}
      },
    })
  }
}

import {AtomCommand} from '@atomctl/sdk/command'
import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {keyPairFiles, refuseExisting, writeKeyPair} from '../../lib/key-pair.ts'
import {offerTrust} from '../../lib/offer-trust.ts'
import {naming, readKeyFile, readNewPassword} from '@atomctl/sdk/signing'
import {type KeyPairResult, keyPairView} from '../../lib/views/keys.ts'

export default class KeysImport extends AtomCommand {
  static override summary = "Turn an unencrypted private key into cosign's format"
  static override description = `Reads PKCS#8, SEC1 or PKCS#1 PEM and writes PREFIX.key (encrypted) and PREFIX.pub.
atomctl signs with ECDSA P-256 keys; the other kinds cosign imports are converted too, for cosign.`
  static override examples = [
    '<%= config.bin %> keys import existing.pem --output-key-prefix team',
    '<%= config.bin %> keys import existing.pem --trust',
  ]
  static override args = {
    file: Args.string({description: 'Unencrypted private key (PEM)', required: true, ignoreStdin: true}),
  }
  static override flags = {
    'output-key-prefix': Flags.string({
      description: 'Name of both files, before .key and .pub',
      default: 'cosign',
      helpValue: 'PREFIX',
    }),
    trust: Flags.boolean({allowNo: true, description: 'Add the public key to your trust policy'}),
    force: Flags.boolean({description: 'Replace files that exist'}),
  }
  static override completion = {args: {file: 'file'}}

  async run(): Promise<KeyPairResult> {
    const {args, flags} = await this.parse(KeysImport)
    const files = keyPairFiles(flags['output-key-prefix'])
    const pem = await readKeyFile(args.file)
    if (!flags.force) await refuseExisting(files)
    // a policy that cannot take the key is found before there is one
    if (flags.trust) await this.atom.trustPolicies()
    const access = {atom: this.atom, interactive: this.interactive}
    const password = await readNewPassword(files.privateKey, access)
    const {importKeyPair, keyFingerprint} = await import('@atomctl/wpk/signing')
    const pair = await naming(args.file, () => importKeyPair(pem, password))
    await writeKeyPair(pair, files, flags.force)
    const trusted = await offerTrust(flags.trust, pair.publicKeyPem, flags['output-key-prefix'], access)
    return this.emit(keyPairView('Key pair imported'), {
      privateKeyFile: files.privateKey,
      publicKeyFile: files.publicKey,
      fingerprint: keyFingerprint(pair.publicKeyPem),
      ...(trusted ? {trusted} : {}),
    })
  }
}

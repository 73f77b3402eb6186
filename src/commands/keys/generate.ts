import {AtomCommand} from '@atomctl/sdk/command'
import * as Flags from '@oclif/core/flags'
import {keyPairFiles, refuseExisting, writeKeyPair} from '../../lib/key-pair.ts'
import {offerTrust} from '../../lib/offer-trust.ts'
import {readNewPassword} from '@atomctl/sdk/signing'
import {type KeyPairResult, keyPairView} from '../../lib/views/keys.ts'

export default class KeysGenerate extends AtomCommand {
  static override summary = "Make a signing key pair in cosign's format"
  static override description = `Writes PREFIX.key (encrypted, only for you) and PREFIX.pub; cosign reads both.
The password comes from COSIGN_PASSWORD, which may be empty, or is asked for.`
  static override examples = [
    '<%= config.bin %> keys generate --trust',
    'COSIGN_PASSWORD= <%= config.bin %> keys generate --output-key-prefix ci --no-trust',
  ]
  static override flags = {
    'output-key-prefix': Flags.string({
      description: 'Name of both files, before .key and .pub',
      default: 'cosign',
      helpValue: 'PREFIX',
    }),
    trust: Flags.boolean({allowNo: true, description: 'Add the public key to your trust policy'}),
    force: Flags.boolean({description: 'Replace files that exist'}),
  }

  async run(): Promise<KeyPairResult> {
    const {flags} = await this.parse(KeysGenerate)
    const files = keyPairFiles(flags['output-key-prefix'])
    if (!flags.force) await refuseExisting(files)
    // a policy that cannot take the key is found before there is one
    if (flags.trust) await this.atom.trustPolicies()
    const access = {atom: this.atom, interactive: this.interactive}
    const password = await readNewPassword(files.privateKey, access)
    const {generateKeyPair, keyFingerprint} = await import('@atomctl/wpk/signing')
    const pair = await generateKeyPair(password)
    await writeKeyPair(pair, files, flags.force)
    const trusted = await offerTrust(flags.trust, pair.publicKeyPem, flags['output-key-prefix'], access)
    return this.emit(keyPairView('Key pair generated'), {
      privateKeyFile: files.privateKey,
      publicKeyFile: files.publicKey,
      fingerprint: keyFingerprint(pair.publicKeyPem),
      ...(trusted ? {trusted} : {}),
    })
  }
}

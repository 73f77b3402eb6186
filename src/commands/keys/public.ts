import {basename} from 'node:path'
import {AtomCommand} from '@atomctl/sdk/command'
import * as Flags from '@oclif/core/flags'
import {readPublicKey} from '../../lib/public-key.ts'
import {signingKeyPath} from '@atomctl/sdk/signing'
import {trustPublicKey} from '../../lib/trusted-key.ts'
import {type PublicKeyResult, publicKeyView} from '../../lib/views/keys.ts'

export default class KeysPublic extends AtomCommand {
  static override summary = 'Print the public half of a key'
  static override description = `The key is --key, else ATOMCTL_KEY, else signing_key of the configuration, else ./cosign.key.
With --trust the key, which may be somebody's public key, is added to your trust policy for all packages.`
  static override examples = [
    '<%= config.bin %> keys public > cosign.pub',
    '<%= config.bin %> keys public --key colleague.pub --trust',
  ]
  static override flags = {
    key: Flags.string({description: 'Private or public key file', helpValue: 'FILE'}),
    trust: Flags.boolean({description: 'Add it to your trust policy'}),
  }

  async run(): Promise<PublicKeyResult> {
    const {flags} = await this.parse(KeysPublic)
    const path = signingKeyPath(this.atom)
    const publicKey = await readPublicKey(path, {atom: this.atom, interactive: this.interactive})
    const {keyFingerprint} = await import('@atomctl/wpk/signing')
    const name = basename(path).replace(/\.(key|pub|pem)$/, '')
    const trusted = flags.trust ? await trustPublicKey(this.atom, publicKey, name) : undefined
    if (trusted) this.progress(`Trusted as ${trusted.name} in ${trusted.policy}`)
    return this.emit(publicKeyView, {
      publicKey,
      fingerprint: keyFingerprint(publicKey),
      ...(trusted ? {trusted} : {}),
    })
  }
}

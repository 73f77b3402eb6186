import {confirmFlag, registryFlag, trustPolicyFlag} from '@atomctl/sdk/command'
import type {SignatureRequirement, VerifiedFile} from '@atomctl/sdk/enforcement'
import {AtomError, describeFailure} from '@atomctl/sdk/errors'
import {requirePolicyApproval} from '@atomctl/sdk/packages'
import {sourceDateEpoch, uploadOf} from '@atomctl/sdk/packing'
import type {RegistryClient} from '@atomctl/sdk/registry'
import {batchArgs, BatchCommand, batchFlags, rateFlag} from '../../batch-command.ts'
import {fingerprintContent} from '../../fingerprint.ts'
import type {BatchReport, Done} from '../../item.ts'

const REQUIREMENT: SignatureRequirement = {
  arg: 'file',
  accepts: 'file',
  unsigned: 'WPK must be signed before pushing',
}

export default class BatchPush extends BatchCommand {
  static override summary = 'Upload many signed packages to the registry'
  static override description = `Each package is validated and its signature checked against the trust policy before it is uploaded, exactly as "push" does;
one that is refused does not stop the others. What the registry has already, byte for byte, is no change.
Of a directory that is a package with its files (see "batch sign") the tarball is uploaded.`
  static override examples = [
    '<%= config.bin %> batch push runbooks',
    '<%= config.bin %> batch push "dist/*.wpk.tar.gz" --concurrency 8 --rate 20/s',
    '<%= config.bin %> batch push --manifest release.yaml --resume',
  ]
  static override args = batchArgs
  static override flags = {...batchFlags, ...rateFlag, ...registryFlag, ...trustPolicyFlag, ...confirmFlag}

  async run(): Promise<BatchReport> {
    const {args, flags} = await this.parse(BatchPush)
    await this.confirmContext(flags.confirm)
    const gathered = await this.gather(args.file, flags, 'package')
    const [registry, url] = await Promise.all([this.atom.registry(), this.atom.registryUrl()])
    return this.runBatch(
      {...gathered, operation: 'push', scope: [url]},
      {
        fingerprint: ({subject}) => fingerprintContent(subject),
        perform: ({subject}) => this.#push(subject, registry),
      },
    )
  }

  async #push(subject: string, registry: RegistryClient): Promise<Done> {
    const {verified, package: local} = await this.#verify(subject)
    await requirePolicyApproval(local.document)
    await using upload = await uploadOf(local, sourceDateEpoch(this.atom.environment))
    const pushed = await registry.push(verified, upload).catch((error: unknown) => {
      throw describeFailure('Push failed', error)
    })
    return {id: pushed.id, note: pushed.created === false ? 'unchanged' : 'pushed'}
  }

  /** The gate of "push" for one package: nothing is sent that it did not let through. */
  async #verify(subject: string): Promise<VerifiedFile> {
    const found = (await this.atom.verify([subject], REQUIREMENT)).get(subject)
    if (found?.origin === 'file') return found
    throw new AtomError('GATE_NOT_RUN', `${subject} was not verified`)
  }
}

import {AtomCommand, confirmFlag, registryFlag, trustPolicyFlag} from '@atomctl/sdk/command'
import type {SignatureRequirement, VerifiedFile} from '@atomctl/sdk/enforcement'
import {describeFailure} from '@atomctl/sdk/errors'
import {requirePolicyApproval} from '@atomctl/sdk/packages'
import {sourceDateEpoch, uploadOf} from '@atomctl/sdk/packing'
import type {PushedPackage} from '@atomctl/sdk/registry'
import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {createUploadProgress} from '../lib/upload-progress.ts'
import {pushView} from '../lib/views/push.ts'

export default class Push extends AtomCommand {
  static override summary = 'Upload signed packages to the registry'
  static override description = `Every file is validated and its signature checked against the trust policy before the first is uploaded.
A version is immutable: other bytes under the same name and version are refused (exit 7), the same bytes are no change.
A directory is a package with its files, as "sign" and "pack" take it: what goes to the registry is its tarball.`
  static override examples = [
    '<%= config.bin %> push restart-unhealthy.wpk.yaml',
    '<%= config.bin %> push ./collect-diagnostics',
    '<%= config.bin %> push collect-diagnostics-1.0.0.wpk.tar.gz --registry-url http://localhost:8000',
  ]
  static override args = {
    file: Args.string({description: 'Document, tarball, or directory of a package; may be repeated', required: true}),
  }
  static override flags = {
    ...registryFlag,
    ...trustPolicyFlag,
    ...confirmFlag,
    overwrite: Flags.boolean({description: 'Replace other bytes where the registry allows it (the original does)'}),
  }
  static override strict = false
  static override signature: SignatureRequirement = {
    arg: 'file',
    accepts: 'file',
    unsigned: 'WPK must be signed before pushing',
  }

  async run(): Promise<PushedPackage[]> {
    const {argv, flags} = await this.parse(Push)
    await this.confirmContext(flags.confirm)
    const packages = (argv as string[]).map((path) => this.verified(path) as VerifiedFile)
    for (const {package: local} of packages) await requirePolicyApproval(local.document)
    const registry = await this.atom.registry()
    const pushed: PushedPackage[] = []
    for (const {verified, package: local} of packages) {
      const {environment} = this.atom
      await using upload = await uploadOf(local, sourceDateEpoch(environment))
      const onProgress = createUploadProgress({path: local.path, size: upload.size}, this.format, environment)
      pushed.push(
        await registry.push(verified, {...upload, overwrite: flags.overwrite, onProgress}).catch((error: unknown) => {
          throw describeFailure('Push failed', error)
        }),
      )
    }
    return this.emit(pushView, pushed)
  }
}

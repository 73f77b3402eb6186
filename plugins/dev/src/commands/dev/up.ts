import {access} from 'node:fs/promises'
import {AtomCommand, trustPolicyFlag} from '@atomctl/sdk/command'
import * as Flags from '@oclif/core/flags'
import {layoutOf, makePrivateDirectory} from '../../layout.ts'
import {policyFileOf} from '../../policy.ts'
import {servicePackages} from '../../service-packages.ts'
import {registryPortFlag, runtimePortFlag} from '../../serving.ts'
import {ensureServices} from '../../startup.ts'
import type {ServicesState} from '../../state.ts'
import {writeContext} from '../../target.ts'
import {ensureToken} from '../../token.ts'
import {type Started, startedView} from '../../views.ts'

export default class DevUp extends AtomCommand {
  static override summary = 'Start a registry and a runtime in the background'
  static override description = `They keep their data in ~/.atomctl/dev and trust what your own trust policy trusts, as it is at that moment.
A context named dev points at them; it becomes the current one when no other target is configured.`
  static override examples = ['<%= config.bin %> dev up', '<%= config.bin %> dev up --registry-port 0 --runtime-port 0']
  static override flags = {
    ...registryPortFlag,
    ...runtimePortFlag,
    ...trustPolicyFlag,
    'data-dir': Flags.string({description: 'Directory of the database', helpValue: 'DIR'}),
  }

  async run(): Promise<Started> {
    const {flags} = await this.parse(DevUp)
    const {environment, configuration, interruption} = this.atom
    await servicePackages()
    const layout = layoutOf(environment)
    await makePrivateDirectory(layout.home)
    const token = await ensureToken(layout)
    const policy = policyFileOf(configuration, environment)
    const {state, alreadyRan} = await interruption.defer(() =>
      ensureServices({
        layout,
        environment,
        root: this.config.root,
        registryPort: flags['registry-port'],
        runtimePort: flags['runtime-port'],
        dataDirectory: flags['data-dir'],
        trustPolicyFile: policy.isNamed ? policy.file : undefined,
        signal: interruption.signal,
      }),
    )
    const context = await writeContext(state, token, configuration, environment)
    return this.emit(startedView, {
      already_running: alreadyRan,
      ...urlsOf(state),
      log: layout.logFile,
      context: context.name,
      current: context.current,
      trust_policy: policy.file,
      has_trust_policy: await access(policy.file).then(
        () => true,
        () => false,
      ),
    })
  }
}

function urlsOf({pid, registry_url, runtime_url, data_directory}: ServicesState) {
  return {pid, registry_url, runtime_url, data_directory}
}

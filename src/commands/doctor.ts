import {AtomCommand, registryFlag, runtimeFlag, trustPolicyFlag} from '@atomctl/sdk/command'
import type {CheckResult} from '../lib/doctor/index.ts'
import {doctorView} from '../lib/views/doctor.ts'

export default class Doctor extends AtomCommand {
  static override summary = 'Check configuration, services, clock, keys, trust policy and plugins'
  static override description = `Says how to put right what is wrong. Works with a broken configuration too.
Exit 0: nothing is broken; 9: only services that do not answer; 1: something to put right.`
  static override examples = ['<%= config.bin %> doctor', '<%= config.bin %> doctor --context prod']
  static override flags = {...registryFlag, ...runtimeFlag, ...trustPolicyFlag}

  async run(): Promise<CheckResult[]> {
    await this.parse(Doctor)
    const {runChecks, verdictOf} = await import('../lib/doctor/index.ts')
    const results = await runChecks({atom: this.atom, config: this.config, now: () => new Date()})
    return this.emit(doctorView, results, verdictOf(results))
  }
}

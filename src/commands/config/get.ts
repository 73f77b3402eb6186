import {SETTING_KEYS} from '@atomctl/sdk/config'
import {AtomCommand} from '@atomctl/sdk/command'
import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {settingKey} from '../../lib/settings-edit.ts'
import {readSettings, reportSetting, type SettingReport} from '../../lib/settings-report.ts'
import {settingView} from '../../lib/views/config.ts'

export default class ConfigGet extends AtomCommand {
  static override summary = 'Print one setting in force'
  static override description = `Prints the value, or nothing when it is not set. Of a token only that it is set.
Settings: ${SETTING_KEYS.join(', ')}.`
  static override examples = [
    '<%= config.bin %> config get registry_url',
    '<%= config.bin %> config get runtime_url --show-origin',
  ]
  static override args = {
    key: Args.string({description: 'Name of the setting', required: true, ignoreStdin: true}),
  }
  static override flags = {
    'show-origin': Flags.boolean({description: 'Say where the value comes from'}),
  }

  async run(): Promise<SettingReport> {
    const {args, flags} = await this.parse(ConfigGet)
    const key = settingKey(args.key)
    const configuration = await readSettings(this.atom, flags.context)
    return this.emit(settingView(flags['show-origin']), reportSetting(configuration, key))
  }
}

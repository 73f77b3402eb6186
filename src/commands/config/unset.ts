import {AtomCommand} from '@atomctl/sdk/command'
import * as Args from '@oclif/core/args'
import {editSettings, settingKey} from '../../lib/settings-edit.ts'
import {type SettingChange, settingChangeView} from '../../lib/views/config.ts'

export default class ConfigUnset extends AtomCommand {
  static override summary = "Remove one setting from the user's configuration file"
  static override examples = [
    '<%= config.bin %> config unset auth_token',
    '<%= config.bin %> config unset auth_token --context prod',
  ]
  static override args = {
    key: Args.string({description: 'Name of the setting', required: true, ignoreStdin: true}),
  }

  async run(): Promise<SettingChange> {
    const {args, flags} = await this.parse(ConfigUnset)
    const {context} = flags
    const key = settingKey(args.key)
    const file = await editSettings(this.atom, [{key, value: undefined}], context)
    return this.emit(settingChangeView, {key, value: null, file, ...(context === undefined ? {} : {context})})
  }
}

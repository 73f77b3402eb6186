import {SETTING_KEYS} from '@atomctl/sdk/config'
import {AtomCommand} from '@atomctl/sdk/command'
import * as Args from '@oclif/core/args'
import {editSettings, settingKey} from '../../lib/settings-edit.ts'
import {overriddenSettings, readSettings} from '../../lib/settings-report.ts'
import {readToken} from '../../lib/token-input.ts'
import {type SettingChange, settingChangeView} from '../../lib/views/config.ts'

export default class ConfigSet extends AtomCommand {
  static override summary = "Write one setting to the user's configuration file"
  static override description = `Comments and order of the file stay. With --context the setting of that context is written.
Settings: ${SETTING_KEYS.join(', ')}.`
  static override examples = [
    '<%= config.bin %> config set request_timeout 1m',
    '<%= config.bin %> config set auth_token - < token-file',
    '<%= config.bin %> config set registry_url https://registry.example.com --context prod',
  ]
  static override args = {
    key: Args.string({description: 'Name of the setting', required: true, ignoreStdin: true}),
    value: Args.string({description: 'Value; - reads a token from standard input', required: true, ignoreStdin: true}),
  }

  async run(): Promise<SettingChange> {
    const {args, flags} = await this.parse(ConfigSet)
    const {context} = flags
    const key = settingKey(args.key)
    const value = key === 'auth_token' ? await readToken(args.value, this.interactive) : args.value
    const file = await editSettings(this.atom, [{key, value}], context)
    const configuration = await readSettings(this.atom, context)
    this.atom.warnings.push(...overriddenSettings(configuration, [{key, value}], context))
    const shown = key === 'auth_token' ? 'set' : value
    return this.emit(settingChangeView, {key, value: shown, file, ...(context === undefined ? {} : {context})})
  }
}

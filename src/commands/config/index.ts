import {AtomCommand} from '@atomctl/sdk/command'
import * as Flags from '@oclif/core/flags'
import {editSettings, type SettingEdit} from '../../lib/settings-edit.ts'
import {overriddenSettings, readSettings, reportSettings} from '../../lib/settings-report.ts'
import {readToken} from '../../lib/token-input.ts'
import {type ConfigResult, configView} from '../../lib/views/config.ts'

export default class Config extends AtomCommand {
  static override summary = 'Show settings, or set the URLs and the token'
  static override description = `Without flags the settings in force are shown; --show-origin says where each comes from. With flags they are written to
the user's configuration file. Give the token as - to read it from standard input: on the command line other users see it.
With --context the URLs and the token of that context are written.`
  static override examples = [
    '<%= config.bin %> config --show-origin',
    '<%= config.bin %> config --registry-url https://registry.example.com --runtime-url https://runtime.example.com',
    '<%= config.bin %> config --auth-token - < token-file',
  ]
  static override flags = {
    'registry-url': Flags.string({description: 'Set the registry', helpValue: 'URL'}),
    'runtime-url': Flags.string({description: 'Set the runtime', helpValue: 'URL'}),
    'auth-token': Flags.string({description: 'Set the token; - reads it from standard input', helpValue: 'TOKEN'}),
    'show-origin': Flags.boolean({description: 'Say where each value comes from'}),
  }

  async run(): Promise<ConfigResult> {
    const {flags} = await this.parse(Config)
    const token = flags['auth-token'] === undefined ? undefined : await readToken(flags['auth-token'], this.interactive)
    const given: [SettingEdit['key'], string | undefined][] = [
      ['registry_url', flags['registry-url']],
      ['runtime_url', flags['runtime-url']],
      ['auth_token', token],
    ]
    const edits = given.flatMap(([key, value]) => (value === undefined ? [] : [{key, value}]))
    if (edits.length > 0) await editSettings(this.atom, edits, flags.context)
    const configuration = await readSettings(this.atom, flags.context)
    this.atom.warnings.push(...overriddenSettings(configuration, edits, flags.context))
    return this.emit(configView(flags['show-origin']), {
      settings: reportSettings(configuration),
      changed: edits.map(hideToken),
    })
  }
}

function hideToken({key, value}: SettingEdit): ConfigResult['changed'][number] {
  return {key, value: key === 'auth_token' ? 'set' : (value ?? null)}
}

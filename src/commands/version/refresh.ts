import {rm} from 'node:fs/promises'
import {AtomCommand} from '@atomctl/sdk/command'
import {markOf} from '../../lib/background.ts'

/** A check that takes longer is given up, whatever it waits for (milliseconds). */
const LIMIT = 30_000

/** What a command starts and does not wait for: asks for a new version and keeps the answer. Prints nothing. */
export default class VersionRefresh extends AtomCommand {
  static override summary = 'Ask for a new version and keep the answer'
  static override hidden = true

  async run(): Promise<void> {
    await this.parse(VersionRefresh)
    const [{checkForUpdate}, {statePath}, {updateSettings}] = await Promise.all([
      import('../../lib/update/check.ts'),
      import('../../lib/update/state.ts'),
      import('../../lib/update/settings.ts'),
    ])
    const watchdog = setTimeout(() => process.exit(1), LIMIT)
    try {
      const settings = updateSettings(this.atom.configuration)
      // the reason is kept, and doctor tells it
      if (settings) await checkForUpdate(settings, this.atom, this.config.version).catch(() => undefined)
    } finally {
      clearTimeout(watchdog)
      await rm(markOf(statePath(this.atom.environment)), {force: true})
      await this.atom.close()
    }
  }
}

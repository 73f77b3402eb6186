import * as Flags from '@oclif/core/flags'
import {AtomError} from '@atomctl/sdk/errors'

/** A flag such as `--timeout 1m30s`; the command gets milliseconds. */
export const durationFlag = Flags.custom<number>({
  helpValue: 'DURATION',
  async parse(text) {
    const {parseDuration} = await import('@atomctl/wpk/document')
    const milliseconds = parseDuration(text)
    if (milliseconds !== undefined && milliseconds > 0) return milliseconds
    throw new AtomError('USAGE', `${JSON.stringify(text)} is not a duration`, {hint: 'write it like 30s, 5m or 1h30m'})
  },
})

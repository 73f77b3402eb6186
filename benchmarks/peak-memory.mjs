// Preload (`node --import`): on the way out writes the highest resident memory, in KiB, to PEAK_MEMORY_FILE.
import {readFileSync, writeFileSync} from 'node:fs'

const file = process.env.PEAK_MEMORY_FILE
if (file) process.on('exit', () => writeFileSync(file, String(peakKibibytes())))

// On Linux maxRSS is never less than what the parent held when it started this process, so the kernel's mark of this
// process alone is read instead.
function peakKibibytes() {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1])
}

// Preload (`node --import`): on the way out writes the highest resident memory, in KiB, to PEAK_MEMORY_FILE.
import {writeFileSync} from 'node:fs'

const file = process.env.PEAK_MEMORY_FILE
if (file) process.on('exit', () => writeFileSync(file, String(process.resourceUsage().maxRSS)))

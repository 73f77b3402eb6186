import {build} from './build.ts'
import {type Check, checkDocs, checkGenerated, checkImports, checkTypes, QUICK_CHECKS} from './checks.ts'

const CHECKS: readonly Check[] = [build, ...QUICK_CHECKS, checkImports, checkTypes, checkGenerated, checkDocs]

for (const check of CHECKS) {
  try {
    await check()
  } catch (error) {
    process.stderr.write(`[FAILED] ${(error as Error).message}\n`)
    process.exitCode = 1
  }
}

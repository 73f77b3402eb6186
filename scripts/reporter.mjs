// mocha's spec output, and the totals in the file that TEST_TOTALS_FILE names: scripts/test.ts prints them as one line.
import {writeFileSync} from 'node:fs'
import mocha from 'mocha'

export default class TotalsReporter extends mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options)
    const file = process.env.TEST_TOTALS_FILE
    if (!file) return
    runner.once('end', () => {
      const totals = totalsOf(this.stats)
      writeFileSync(file, JSON.stringify(totals))
      setTimeout(failForLeak, LEAK_MS, file, totals).unref()
    })
  }
}

/** A test that left a server, a socket or a process open keeps mocha from ending: a failure, not a hang. */
const LEAK_MS = 30_000

function failForLeak(file, totals) {
  process.stderr.write(`still open after the last test: ${process.getActiveResourcesInfo().join(', ')}\n`)
  writeFileSync(file, JSON.stringify({...totals, failed: totals.failed + 1}))
  process.exit() // mocha sets the code
}

function totalsOf({passes, failures, pending}) {
  return {passed: passes, failed: failures, skipped: pending}
}

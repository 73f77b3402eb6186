// mocha's spec output, and the totals in the file that TEST_TOTALS_FILE names: scripts/test.ts prints them as one line.
import {writeFileSync} from 'node:fs'
import mocha from 'mocha'

export default class TotalsReporter extends mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options)
    const file = process.env.TEST_TOTALS_FILE
    if (!file) return
    runner.once('end', () => {
      writeFileSync(file, JSON.stringify(totalsOf(this.stats)))
      setTimeout(failForLeak, LEAK_MS).unref()
    })
  }
}

/** A test that left a server, a socket or a process open keeps mocha from ending: a failure, not a hang. */
const LEAK_MS = 30_000

function failForLeak() {
  process.stderr.write(`still open after the last test: ${process.getActiveResourcesInfo().join(', ')}\n`)
  process.exit(1)
}

function totalsOf({passes, failures, pending}) {
  return {passed: passes, failed: failures, skipped: pending}
}

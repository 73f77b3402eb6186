// mocha's spec output, and the totals in the file that TEST_TOTALS_FILE names: scripts/test.ts prints them as one line.
import {writeFileSync} from 'node:fs'
import mocha from 'mocha'

export default class TotalsReporter extends mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options)
    const file = process.env.TEST_TOTALS_FILE
    if (file) runner.once('end', () => writeFileSync(file, JSON.stringify(totalsOf(this.stats))))
  }
}

function totalsOf({passes, failures, pending}) {
  return {passed: passes, failed: failures, skipped: pending}
}

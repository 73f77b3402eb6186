// mocha's spec output, and what failed and how many in the file that TEST_TOTALS_FILE names: scripts/test.ts prints both
// at its end, where the last lines of a long log show them.
import {writeFileSync} from 'node:fs'
import mocha from 'mocha'

export default class TotalsReporter extends mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options)
    const file = process.env.TEST_TOTALS_FILE
    if (!file) return
    const failures = []
    runner.on('fail', (test, error) => failures.push(describeFailure(test, error)))
    runner.once('end', () => {
      const totals = {...totalsOf(this.stats), failures}
      writeFileSync(file, JSON.stringify(totals))
      setTimeout(failForLeak, LEAK_MS, file, totals).unref()
    })
  }
}

/** A test that left a server, a socket or a process open keeps mocha from ending: a failure, not a hang. */
const LEAK_MS = 30_000

function failForLeak(file, totals) {
  const leak = `still open after the last test: ${process.getActiveResourcesInfo().join(', ')}`
  process.stderr.write(`${leak}\n`)
  writeFileSync(file, JSON.stringify({...totals, failed: totals.failed + 1, failures: [...totals.failures, leak]}))
  process.exit() // mocha sets the code
}

function totalsOf({passes, failures, pending}) {
  return {passed: passes, failed: failures, skipped: pending}
}

/** The test's full title and the first lines of its error, in one line. */
function describeFailure(test, error) {
  const message = String(error?.message ?? error).trim()
  return `${test.fullTitle()}: ${message.slice(0, LONGEST_MESSAGE).replaceAll(/\s*\n\s*/g, ' | ')}`
}

const LONGEST_MESSAGE = 400

import {expect} from 'chai'
import {describeGrowth, readBudget, total, weighStartup} from '../../benchmarks/startup-budget.ts'

describe('the start-up budget', () => {
  it('is kept by validate of one file (ATOMCTL_WRITE_BUDGET=1 npm run bench -- startup-budget writes a new one)', async () => {
    const [weights, budget] = [await weighStartup(), readBudget()]
    expect(total(weights), describeGrowth(weights, budget).join('\n')).to.be.at.most(total(budget) * 1.05)
  }).timeout(60_000)

  it('names the parts that grew, the most grown first', () => {
    const growth = describeGrowth(
      {one: 2048, other: 10_240, third: 5, fourth: 4096},
      {one: 1024, third: 5, fourth: 8192},
    )
    expect(growth).to.deep.equal(['  other: 10 KiB, was not loaded', '  one: 2 KiB, was 1 KiB'])
  })
})

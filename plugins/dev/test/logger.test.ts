import {expect} from 'chai'
import {createLogger} from '../src/logger.ts'

function record(isVerbose: boolean): {lines: string[]; logger: ReturnType<typeof createLogger>} {
  const lines: string[] = []
  return {lines, logger: createLogger({write: (text) => lines.push(text)}, isVerbose)}
}

describe('the log of the services', () => {
  it('holds warnings and errors, and requests only with --verbose', () => {
    const quiet = record(false)
    quiet.logger.info({req: {method: 'GET', url: '/health'}}, 'incoming request')
    quiet.logger.warn({}, 'careful')
    const verbose = record(true)
    verbose.logger.child().info({req: {method: 'GET', url: '/workflows?q=secret'}}, 'incoming request')
    expect(quiet.lines.join('')).to.match(/^\S+Z WARN careful\n$/)
    expect(verbose.lines.join('')).to.match(/^\S+Z INFO incoming request GET \/workflows\n$/)
  })

  it('is one line for each entry, whatever is in it', () => {
    const {lines, logger} = record(false)
    logger.error({err: new Error('first\nsecond'), id: 'a\u001B[2J'}, 'it\nbroke')
    expect(lines).to.have.length(1)
    for (const forbidden of ['\n', '\u001B']) expect(lines[0]?.trimEnd()).not.to.contain(forbidden)
    expect(lines[0]).to.contain('first').and.to.contain('ERROR')
  })

  it('accepts a bare text, as Fastify sometimes gives', () => {
    const {lines, logger} = record(true)
    logger.info('Server listening')
    expect(lines[0]).to.match(/INFO Server listening\n$/)
  })
})

import {expect} from 'chai'
import {MASK, Redactor} from '../../src/secrets/redactor.ts'

const SECRET = 'pä$$/w"o&r<d> +42\'x'
const redactor = new Redactor([SECRET])
const bytes = Buffer.from(SECRET)

describe('the redactor', () => {
  for (const [form, text] of [
    ['plain', SECRET],
    ['JSON', JSON.stringify(SECRET).slice(1, -1)],
    ['JSON in JSON', JSON.stringify(JSON.stringify(SECRET)).slice(3, -3)],
    ['a URL', encodeURIComponent(SECRET)],
    ['a form', new URLSearchParams({a: SECRET}).toString().slice(2)],
    ['base64', bytes.toString('base64')],
    ['base64url', bytes.toString('base64url')],
    ['hex', bytes.toString('hex')],
    ['upper hex', bytes.toString('hex').toUpperCase()],
    ['base64 in lines', bytes.toString('base64').replaceAll(/(.{7})/g, '$1\n')],
  ] as const)
    it(`takes ${form} out, wherever the stream is cut`, () => {
      const whole = Buffer.from(`before ${text} after`)
      for (let cut = 0; cut <= whole.length; cut += 1) {
        const parts: Uint8Array[] = []
        const filter = redactor.filter((chunk) => void parts.push(Buffer.from(chunk)))
        filter.push(whole.subarray(0, cut))
        filter.push(whole.subarray(cut))
        filter.end()
        expect(Buffer.concat(parts).toString(), `cut at ${cut}`).to.match(/^before \*\*\*=*\n? after$/)
      }
    })

  for (const offset of [0, 1, 2])
    it(`takes base64 out that begins ${offset} bytes before the secret`, () => {
      const text = Buffer.concat([Buffer.from('abc'.slice(0, offset)), bytes, Buffer.from('tail')]).toString('base64')
      const shown = redactor.redact(text)
      expect(shown).to.contain(MASK)
      expect(Buffer.from(shown.replace(MASK, ''), 'base64').toString()).to.not.contain('w"o&r')
    })

  it('takes the lines of a secret out one by one', () => {
    const lines = new Redactor(['first-line-1\nsecond-line-2\n'])
    expect(lines.redact('x second-line-2 y\nfirst-line-1')).to.equal(`x ${MASK} y\n${MASK}`)
  })

  it('takes the beginning of a secret out where a stream was cut off, and nowhere else', () => {
    const shown = (text: string, wasCut: boolean): string => {
      const parts: Uint8Array[] = []
      const filter = redactor.filter((chunk) => void parts.push(Buffer.from(chunk)))
      filter.push(Buffer.from(text))
      filter.end(wasCut)
      return Buffer.concat(parts).toString()
    }
    for (const form of [SECRET, bytes.toString('base64'), encodeURIComponent(SECRET)]) {
      const beginning = form.slice(0, -6)
      expect(shown(`before ${beginning}`, true)).to.equal(`before ${MASK}`)
      expect(shown(`before ${beginning}`, false)).to.equal(`before ${beginning}`)
      expect(shown(`${beginning} after`, true)).to.equal(`${beginning} after`)
    }
    expect(shown(`before ${SECRET.slice(0, 3)}`, true)).to.equal(`before ${SECRET.slice(0, 3)}`)
  })

  it('leaves everything else as it is, byte for byte', () => {
    const text = 'nothing here, pä$$ alone\u{1F600}\r\n\t'
    expect(redactor.redact(text)).to.equal(text)
  })
})

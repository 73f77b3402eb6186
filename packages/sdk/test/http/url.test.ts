import {expect} from 'chai'
import {encodeSegment, normalizeBaseUrl} from '@atomctl/sdk/http'
import {failed} from './support.ts'

const refusal = (text: string): ReturnType<typeof failed> =>
  failed(Promise.resolve().then(() => normalizeBaseUrl(text, '--registry-url')))

describe('normalizeBaseUrl', () => {
  it('takes trailing slashes away, which the services answer with 404', () => {
    expect(normalizeBaseUrl('http://localhost:8000/', 'x')).to.equal('http://localhost:8000')
    expect(normalizeBaseUrl('http://localhost:8000///', 'x')).to.equal('http://localhost:8000')
    expect(normalizeBaseUrl(' HTTPS://Registry.Example:443/atom/ ', 'x')).to.equal('https://registry.example/atom')
    expect(normalizeBaseUrl('http://[::1]:8000', 'x')).to.equal('http://[::1]:8000')
    expect(normalizeBaseUrl('http://x/a/../b', 'x')).to.equal('http://x/b')
  })

  it('asks for the scheme and shows the value with one', async () => {
    const error = await refusal('localhost:8000')
    expect(error.code).to.equal('CONFIG_INVALID')
    expect(error.message).to.equal('--registry-url needs to start with http:// or https://, got "localhost:8000"')
    expect(error.hint).to.equal('write http://localhost:8000')
  })

  it('refuses other schemes, nonsense, queries and fragments', async () => {
    for (const text of [
      '',
      'ftp://x',
      'file:///etc/passwd',
      'http://',
      'http:// x',
      'http://x:99999',
      'http://x?a=1',
      'http://x/#',
      'http://x/?',
    ]) {
      expect((await refusal(text)).code, text).to.equal('CONFIG_INVALID')
    }
  })

  it('never repeats credentials', async () => {
    for (const text of [
      'http://user:s3cret@x/',
      'user:s3cret@x:8000',
      'http://s3cret@x',
      'ftp://u:s3cret@x',
      'http://u:s3cret@x:99999',
    ]) {
      const error = await refusal(text)
      expect(error.code).to.equal('CONFIG_INVALID')
      expect(error.message + error.hint, text).not.to.include('s3cret')
    }
  })
})

describe('encodeSegment', () => {
  it('leaves ids as they are and escapes the rest', () => {
    expect(encodeSegment('restart-unhealthy-1.0.0')).to.equal('restart-unhealthy-1.0.0')
    expect(encodeSegment('a b?c#d%2F')).to.equal('a%20b%3Fc%23d%252F')
    expect(encodeSegment('é')).to.equal('%C3%A9')
    expect(encodeSegment('...')).to.equal('...')
  })
})

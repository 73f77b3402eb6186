import {expect} from 'chai'
import {namesOf} from '../src/listener.ts'

describe('the names a registry is known by', () => {
  it('are the one it was given', () => {
    expect(namesOf('https://registry.example.com')).to.deep.equal(['https://registry.example.com'])
  })

  it('on loopback are all names of this machine, the given one first', () => {
    const names = ['http://127.0.0.1:8000', 'http://localhost:8000', 'http://[::1]:8000']
    expect(namesOf('http://127.0.0.1:8000')).to.deep.equal(names)
    expect(namesOf('http://[::1]:8000')).to.deep.equal([names[2], names[1], names[0]])
  })

  it('are none where it listens on every address and nobody said how it is reached', () => {
    for (const url of [undefined, 'http://0.0.0.0:8000', 'http://[::]:8000']) expect(namesOf(url)).to.deep.equal([])
  })
})

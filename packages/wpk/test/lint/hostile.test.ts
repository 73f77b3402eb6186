import {expect} from 'chai'

import {lintHandler} from './documents.ts'

const SIZE = 1 << 18

/** Quadratic work on this much takes minutes, so there is room for a busy machine. */
const SECONDS = 10

describe('A quarter of a mebibyte made to wear the lint out is checked in bounded time', () => {
  const fragments = [
    'a', ' ', '"', "'", '\\', '$', '${', '$(', '`', '(', '|', '\n', '#', '=', ':', '@', '.', '/', '-',
    'curl ', 'curl|', 'curl -u ', 'wget $(', 'sh <(', 'sh -c "', 'eval ', 'kubectl create ', 'kubectl ', 'a=', 'a:', 'a.', 'a-', 'a--', 'token=', 'password="', "password='a",
    'eyJ', 'eyJ-', 'eyJ.', 'a://', 'a://b:', '://', 'AKIA', 'ghp_', 'xoxb-', '-----BEGIN ', 'rm -rf ', 'a@b.', '"$(', '"\\"', '---\n', 'kind: a\n---\n', '0', '1_', 'https://a.b/', 'A1a',
  ] // oxfmt-ignore

  for (const fragment of fragments) {
    it(JSON.stringify(fragment), () => {
      const text = fragment.repeat(SIZE / fragment.length)
      const started = performance.now()
      lintHandler({name: 'a', type: 'shell', config: {command: text}})
      lintHandler({name: 'a', type: 'k8s', config: {action: 'apply', manifest: text, image: text}})
      lintHandler({name: 'a', type: 'api', config: {url: text, headers: {Authorization: text}}})
      expect(performance.now() - started).to.be.lessThan(SECONDS * 1000)
    }).timeout(60_000)
  }
})

import {mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {generateKeyPair} from '@atomctl/wpk/signing'
import {loadTrustPolicy} from '@atomctl/wpk/trust'
import {expect} from 'chai'
import {ROOT} from '../../scripts/rooms.ts'

const EMPTY_ROOT = '{"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"}'

describe('docs/signing.md', () => {
  it('shows a trust policy that loads as it stands', async () => {
    const page = readFileSync(join(ROOT, 'docs', 'signing.md'), 'utf8')
    const yaml = /```yaml\n(default:[\s\S]*?)```/.exec(page)?.[1] ?? ''
    const folder = mkdtempSync(join(tmpdir(), 'atomctl-policy-'))
    try {
      mkdirSync(join(folder, 'keys'))
      for (const [, name] of yaml.matchAll(/file: (\S+\.pub)/g)) {
        writeFileSync(join(folder, name ?? ''), (await generateKeyPair('')).publicKeyPem)
      }
      writeFileSync(join(folder, 'trusted_root.json'), EMPTY_ROOT)
      writeFileSync(join(folder, 'trust-policy.yaml'), yaml)
      const policy = await loadTrustPolicy(join(folder, 'trust-policy.yaml'))
      expect(policy.rules.map(({name}) => name)).to.deep.equal(['everything', 'production-changes', 'released-by-ci'])
      expect([...policy.keys.keys()]).to.deep.equal(['platform', 'contractor', 'lost-laptop'])
    } finally {
      rmSync(folder, {recursive: true, force: true})
    }
  })
})

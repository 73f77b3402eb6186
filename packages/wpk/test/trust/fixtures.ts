import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {loadTrustPolicy, type TrustPolicy} from '@atomctl/wpk/trust'
import {testKey} from '../signing/fixtures.ts'

/** A Sigstore without any authority: it vouches for nobody. */
export const EMPTY_ROOT = '{"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"}'

/** Loads a policy from its text; `alice.pub`, `bob.pub` and `carol.pub` lie beside it, and `corp.json`, a trusted root. */
export async function policyOf(text: string): Promise<TrustPolicy> {
  const directory = mkdtempSync(join(tmpdir(), 'policy-'))
  try {
    const names = ['alice', 'bob', 'carol'].filter((name) => text.includes(`${name}.pub`))
    for (const name of names) writeFileSync(join(directory, `${name}.pub`), (await testKey(name)).publicKeyPem)
    writeFileSync(join(directory, 'corp.json'), EMPTY_ROOT)
    writeFileSync(join(directory, 'trust-policy.yaml'), text)
    return await loadTrustPolicy(join(directory, 'trust-policy.yaml'))
  } finally {
    rmSync(directory, {recursive: true, force: true})
  }
}

/** A policy of one rule that trusts Alice for everything, with these further fields. */
export function trustAlice(
  fields: Record<string, unknown> = {},
  key: Record<string, unknown> = {},
): Promise<TrustPolicy> {
  const rule = {name: 'everything', signers: [{keys: ['alice']}], ...fields}
  return policyOf(JSON.stringify({keys: {alice: {file: 'alice.pub', ...key}}, rules: [rule]}))
}

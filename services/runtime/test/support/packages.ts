import {mkdtempSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import type {JsonObject} from '@atomctl/protocol/values'
import {loadDocument, stringifyYaml} from '@atomctl/wpk/document'
import {generateKeyPair, loadSigner, signDocument, type SignedFile, type Signer} from '@atomctl/wpk/signing'
import {addTrustedKey, loadTrustPolicy, type TrustPolicy} from '@atomctl/wpk/trust'

/** What a test wants of a package; the rest is filled in. */
export interface PackageShape {
  name?: string
  version?: string
  handlers: object[]
  parameters?: object[]
  safety?: object
  rollback?: object
}

export function packageValue({name = 'test-package', version = '1.0.0', ...shape}: PackageShape): JsonObject {
  const {handlers, parameters, safety, rollback} = shape
  return {
    apiVersion: 'v1',
    kind: 'WorkflowPackage',
    metadata: {name, version, description: 'A package of a test', author: 'tests', signature: ''},
    spec: {
      runtime: {type: 'shell'},
      safety: {mode: 'manual', ...safety},
      ...(parameters ? {parameters} : {}),
      handlers,
      ...(rollback ? {rollback} : {}),
    },
  } as unknown as JsonObject
}

export function shell(name: string, command: string, more: object = {}): object {
  const {config = {}, ...rest} = more as {config?: object}
  return {name, type: 'shell', config: {command, ...config}, ...rest}
}

export function api(name: string, config: object, more: object = {}): object {
  return {name, type: 'api', config, ...more}
}

/** A key, a policy file that trusts it for all packages, and packages signed with it. */
export class Trust {
  readonly policyFile: string
  readonly #signer: Signer

  private constructor(policyFile: string, signer: Signer) {
    this.policyFile = policyFile
    this.#signer = signer
  }

  static async create(): Promise<Trust> {
    const directory = mkdtempSync(join(tmpdir(), 'trust-'))
    const keys = await generateKeyPair('')
    writeFileSync(join(directory, 'test.pub'), keys.publicKeyPem)
    const file = join(directory, 'trust-policy.yaml')
    writeFileSync(file, addTrustedKey(undefined, {name: 'test', publicKeyFile: 'test.pub'}))
    return new Trust(file, await loadSigner(keys.privateKeyPem, ''))
  }

  readonly policy = (): Promise<TrustPolicy> => loadTrustPolicy(this.policyFile)

  /** The signed package as a registry returns it. */
  async sign(shape: PackageShape, files: readonly SignedFile[] = [], registry?: string): Promise<JsonObject> {
    return (await this.signYaml(stringifyYaml(packageValue(shape)), files, registry)).value
  }

  async signText(shape: PackageShape, files: readonly SignedFile[] = []): Promise<{text: string; value: JsonObject}> {
    return this.signYaml(stringifyYaml(packageValue(shape)), files)
  }

  async signYaml(
    text: string,
    files: readonly SignedFile[] = [],
    registry?: string,
  ): Promise<{text: string; value: JsonObject}> {
    const unsigned = loadDocument(Buffer.from(text), 'test.wpk.yaml')
    const options = {files, ...(registry === undefined ? {} : {registry})}
    const {document, text: signed} = await signDocument(unsigned, this.#signer, options)
    return {text: signed, value: document.value}
  }
}

import {readFile, writeFile} from 'node:fs/promises'
import type {Sandbox} from './atomctl.ts'

export interface PackageOptions {
  name?: string
  version?: string
  /** The shell command of its one handler. */
  command?: string
  /** YAML lines that replace the handlers, indented by four. */
  handlers?: string
}

/** A small valid package. */
export function packageText({
  name = 'hello',
  version = '1.0.0',
  command = 'echo hello',
  handlers = `    - name: greet\n      type: shell\n      config:\n        command: ${JSON.stringify(command)}\n      timeout: "30s"`,
}: PackageOptions = {}): string {
  return `apiVersion: v1
kind: WorkflowPackage
metadata:
  name: ${name}
  version: "${version}"
  description: A test
  author: The tests
  tags: [test]
spec:
  runtime:
    type: shell
  safety:
    mode: manual
  handlers:
${handlers}
`
}

/** Writes a package into the sandbox; its file name. */
export async function writePackage(sandbox: Sandbox, options: PackageOptions = {}): Promise<string> {
  const file = `${options.name ?? 'hello'}.wpk.yaml`
  await writeFile(sandbox.path(file), packageText(options))
  return file
}

/** A key pair that the sandbox's person trusts; made once per sandbox. */
export async function trustOwnKey(sandbox: Sandbox): Promise<void> {
  const {code, stderr} = await sandbox.atomctl(['keys', 'generate', '--trust'])
  if (code !== 0) throw new Error(`keys generate: ${stderr}`)
}

/** Writes and signs a package; its file name. */
export async function writeSignedPackage(sandbox: Sandbox, options: PackageOptions = {}): Promise<string> {
  const file = await writePackage(sandbox, options)
  const {code, stderr} = await sandbox.atomctl(['sign', file])
  if (code !== 0) throw new Error(`sign: ${stderr}`)
  return file
}

/** Changes a signed package without signing it again. */
export async function tamper(sandbox: Sandbox, file: string): Promise<void> {
  const path = sandbox.path(file)
  const text = await readFile(path, 'utf8')
  await writeFile(path, text.replace('description: A test', 'description: Another test'))
}

import {access, mkdir, writeFile} from 'node:fs/promises'
import {dirname} from 'node:path'
import type {AtomContext} from '@atomctl/sdk/context'
import {AtomError} from '@atomctl/sdk/errors'
import {writeFailure} from '@atomctl/sdk/files'
import {anchor, ownTrustPolicyPath} from '@atomctl/sdk/trust'

/** The policy files in force here: the user's own, when there is one, and one that the project's file names. */
export async function policyFilesInForce({configuration, environment}: AtomContext): Promise<string[]> {
  const own = ownTrustPolicyPath(configuration, environment)
  const isNamed = configuration.get('trust_policy', new Set(['flag', 'environment', 'user'])) !== undefined
  const project = configuration.get('trust_policy', new Set(['project']))
  const files = isNamed || (await exists(own)) ? [own] : []
  return project ? [...files, anchor(String(project.value), project.origin)] : files
}

/** Writes a policy where nothing is yet. @throws OUTPUT_EXISTS, OUTPUT_FAILED */
export async function createPolicy(path: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(path), {recursive: true, mode: 0o700})
    await writeFile(path, text, {flag: 'wx', mode: 0o600})
  } catch (error) {
    const {code, syscall} = error as NodeJS.ErrnoException
    if (code !== 'EEXIST' || syscall !== 'open') throw writeFailure(path, error)
    throw new AtomError('OUTPUT_EXISTS', `${path} exists; nothing was changed`, {
      hint: `atomctl trust-policy check ${path}`,
    })
  }
}

// Anything but "not there" means that there is something, which reading it will say more about.
async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== 'ENOENT',
  )
}

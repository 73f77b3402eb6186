import {execFile} from 'node:child_process'
import {realpath} from 'node:fs/promises'
import {devNull} from 'node:os'
import {join, sep} from 'node:path'
import {promisify} from 'node:util'
import type {Environment} from '@atomctl/sdk/config'
import {AtomError} from '@atomctl/sdk/errors'
import {inputFailure} from '@atomctl/sdk/files'
import type {GitReference} from './reference.ts'

const run = promisify(execFile)

export interface CloneOptions {
  readonly environment: Environment
  readonly signal: AbortSignal
}

/**
 * Clones a repository into a new directory and returns the path asked for in it. Git may use https, ssh and files,
 * runs no hooks and fetches no submodules; it asks nothing, so a credential comes from the person's own helper.
 * @throws UNAVAILABLE with git's own words, INPUT_MISSING for a path the repository does not have
 */
export async function cloneRepository(
  {url, ref, path}: GitReference,
  directory: string,
  {environment, signal}: CloneOptions,
): Promise<string> {
  const settings = [
    '-c',
    `core.hooksPath=${devNull}`,
    '-c',
    'submodule.recurse=false',
    '-c',
    'protocol.ext.allow=never',
  ]
  const shallow = ['--quiet', '--depth=1', '--single-branch', '--no-tags', '--template=', '--no-recurse-submodules']
  const branch = ref === undefined ? [] : [`--branch=${ref}`]
  try {
    await run('git', [...settings, 'clone', ...shallow, ...branch, '--', url, directory], {
      env: gitEnvironment(environment),
      signal,
    })
  } catch (error) {
    throw cloneFailure(url, error)
  }
  return path === undefined ? directory : inside(directory, path)
}

/** What makes git act on another repository than the one it is told to, as inside a hook, stays out. */
function gitEnvironment(environment: Environment): Record<string, string | undefined> {
  const kept = Object.entries(environment).filter(
    ([name]) => !/^GIT_(DIR|WORK_TREE|INDEX_FILE|OBJECT_DIRECTORY)$/.test(name),
  )
  return {
    ...Object.fromEntries(kept),
    GIT_ALLOW_PROTOCOL: 'https:ssh:file',
    GIT_TERMINAL_PROMPT: '0',
    GIT_LFS_SKIP_SMUDGE: '1',
    LC_ALL: 'C',
  }
}

/** A link in the repository must not lead out of it. */
async function inside(directory: string, path: string): Promise<string> {
  const target = await realpath(join(directory, path)).catch((error: unknown) => {
    throw inputFailure(path, error)
  })
  if (target.startsWith(`${await realpath(directory)}${sep}`)) return target
  throw new AtomError('INPUT_UNREADABLE', `${JSON.stringify(path)} leads out of the repository`)
}

function cloneFailure(url: string, cause: unknown): AtomError {
  const {code, stderr = ''} = cause as {code?: unknown; stderr?: string}
  if (code === 'ENOENT') {
    return new AtomError('UNAVAILABLE', 'git is not installed, or not on the PATH', {hint: 'install git', cause})
  }
  const lines = stderr.trim().split('\n')
  const reason = lines.find((line) => /^(fatal|error):/.test(line)) ?? lines.at(-1) ?? ''
  return new AtomError('UNAVAILABLE', `git could not clone ${url}: ${reason}`, {hint: `git ls-remote ${url}`, cause})
}

/** The name git would put into a commit, or undefined. */
export async function readGitAuthor(environment: Environment): Promise<string | undefined> {
  try {
    const {stdout} = await run('git', ['config', '--get', 'user.name'], {env: gitEnvironment(environment)})
    return stdout.trim() || undefined
  } catch {
    return undefined // no git, or no name: the author is asked for, or is the user
  }
}

import type {Provenance} from '@atomctl/wpk/signing'
import type {Environment} from '../config/index.ts'
import type {PackageSource} from '../packing/package-source.ts'
import {readCheckout} from './checkout.ts'

/** How a CI tells about itself in its variables: which one marks it, and which hold the run, its page and its starter. */
interface BuilderVariables {
  readonly builder: string
  readonly mark: string
  readonly id: string
  readonly url: (environment: Environment) => string | undefined
  readonly actor: string
}

const BUILDERS: readonly BuilderVariables[] = [
  {
    builder: 'github-actions',
    mark: 'GITHUB_ACTIONS',
    id: 'GITHUB_RUN_ID',
    url: ({GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: run}) =>
      server && repository && run && `${server}/${repository}/actions/runs/${run}`,
    actor: 'GITHUB_ACTOR',
  },
  {builder: 'gitlab-ci', mark: 'GITLAB_CI', id: 'CI_JOB_ID', url: named('CI_JOB_URL'), actor: 'GITLAB_USER_LOGIN'},
  {
    builder: 'buildkite',
    mark: 'BUILDKITE',
    id: 'BUILDKITE_BUILD_ID',
    url: named('BUILDKITE_BUILD_URL'),
    actor: 'BUILDKITE_BUILD_CREATOR',
  },
  {
    builder: 'circleci',
    mark: 'CIRCLECI',
    id: 'CIRCLE_BUILD_NUM',
    url: named('CIRCLE_BUILD_URL'),
    actor: 'CIRCLE_USERNAME',
  },
  {builder: 'jenkins', mark: 'JENKINS_URL', id: 'BUILD_TAG', url: named('BUILD_URL'), actor: 'BUILD_USER_ID'},
  {
    builder: 'azure-pipelines',
    mark: 'TF_BUILD',
    id: 'BUILD_BUILDID',
    url: () => undefined,
    actor: 'BUILD_REQUESTEDFOR',
  },
]

function named(variable: string): BuilderVariables['url'] {
  return (environment) => environment[variable]
}

/**
 * Who builds a package, where, and from which commit: what the CI's own variables and git say, as far as they do.
 * Nothing in it is a secret: addresses lose their credentials, query and fragment.
 */
export async function describeBuild(
  source: PackageSource,
  environment: Environment,
  now = new Date(),
): Promise<Provenance> {
  const ci = BUILDERS.find(({mark}) => environment[mark])
  const checkout = await readCheckout(source, environment)
  const actor = line(ci ? environment[ci.actor] : checkout?.email)
  const id = line(ci && environment[ci.id])
  const url = publicUrl(ci?.url(environment))
  return {
    builder: ci?.builder ?? 'local',
    builtAt: now.toISOString(),
    ...(actor === undefined ? {} : {actor}),
    ...(checkout === undefined ? {} : {source: sourceOf(checkout)}),
    ...(id === undefined ? {} : {run: {id, ...(url === undefined ? {} : {url})}}),
  }
}

function sourceOf({
  remote,
  commit,
  dirty,
}: {
  remote?: string
  commit: string
  dirty: boolean
}): NonNullable<Provenance['source']> {
  const repository = publicUrl(remote)
  return {commit, dirty, ...(repository === undefined ? {} : {repository})}
}

/** An address anyone may see; undefined for none, or a path on this machine. */
function publicUrl(address: string | undefined): string | undefined {
  // git's short form for ssh: git@host:path
  const [, host, path] = /^(?:[^@/\s]+@)?([\w.-]{2,}):(?!\/\/)([^\s]+)$/.exec(address ?? '') ?? []
  const url = URL.parse(host === undefined ? (address ?? '') : `ssh://${host}/${path}`)
  if (!url || !/^(https?|ssh|git):$/.test(url.protocol)) return undefined
  Object.assign(url, {username: '', password: '', search: '', hash: ''})
  return line(url.href)
}

/** One line of text that may be shown; undefined for anything else. */
function line(text: string | undefined): string | undefined {
  return text && text.length <= 1000 && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(text) ? text : undefined
}

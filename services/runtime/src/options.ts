import type {PackageSource} from '@atomctl/protocol/packages'
import type {Storage} from '@atomctl/storage'
import type {TrustPolicy} from '@atomctl/wpk/trust'
import type {SecretOptions} from './secrets/reader.ts'

/** The part of pino that is used; Fastify's own logger is one. */
export interface Logger {
  info(details: object, message: string): void
  warn(details: object, message: string): void
  error(details: object, message: string): void
}

/**
 * SHA-256 of a token in hex, with or without `sha256:`. A bare string may do everything; with a role, `operator` may
 * also run, `approver` also approve, `admin` everything. The name is who the token's holder is to others.
 */
export type TokenDigest = string | {readonly digest: string; readonly role?: string; readonly name?: string}

/** Whether a token is good, and whose it is; `true` is an administrator named after the token's digest. */
export type TokenVerdict = boolean | {readonly name: string; readonly role?: string}

/** Either the digests of the accepted tokens, or something that accepts them. */
export type Tokens =
  | {readonly digests: readonly TokenDigest[]}
  | {verify(token: string): TokenVerdict | Promise<TokenVerdict>}

/** A time in which nothing starts; `to` is the first moment after it. */
export interface FreezeWindow {
  readonly from: Date
  readonly to: Date
  readonly reason: string
}

/** How far one step may reach. Several may count at the same time; then each holds. `*` in a name is any text. */
export interface BlastLimit {
  /** Names of kubectl contexts in which it counts; default all. */
  readonly contexts?: readonly string[]
  /** The only types of handlers that may run. */
  readonly handlers?: readonly string[]
  /** The only namespaces that may be touched; then every handler has to name one. */
  readonly namespaces?: readonly string[]
  readonly maxReplicas?: number
  readonly maxObjects?: number
  readonly maxPods?: number
}

/** What an operator lays down for all executions. */
export interface SafetyRules {
  /** How many different people must approve; default 1. */
  readonly quorum?: number
  /** How long an approval is waited for, in milliseconds; default 24 hours. */
  readonly approvalExpiryMs?: number
  readonly freezes?: readonly FreezeWindow[]
  readonly limits?: readonly BlastLimit[]
}

export interface RuntimeOptions {
  storage: Storage
  /** Read for every execution, so that an edited policy counts at once. */
  trustPolicy: () => Promise<TrustPolicy>
  /**
   * The URLs clients know the registry by, asked for every execution: signatures that are bound to another registry
   * are refused. Absent or empty: bindings are not compared.
   */
  registryUrls?: () => readonly string[]
  /** Absent: everyone who reaches the port may do everything (one person's machine). */
  tokens?: Tokens
  /** Asked for every execution, so that an edited rule counts at once. */
  safety?: () => SafetyRules | Promise<SafetyRules>
  /** One person's machine: who asks for an execution may approve it too. */
  singleUser?: boolean
  /** False: nobody could approve anything here (a runtime inside a command), so what needs it is refused. */
  approvals?: boolean
  /** With tokens: may GET without one. */
  anonymousReads?: boolean
  /** Where the files of packages come from; without it packages that bring files are refused. */
  packages?: PackageSource
  /** One directory per execution is made below it and removed at its end. */
  workDirectory: string
  version: string
  /**
   * Inherited by shell handlers as far as the allow-list goes: PATH, HOME, LANG, TZ, TMPDIR. kubectl also gets
   * KUBECONFIG, the proxy's and the cloud logins' variables. DOCKER_HOST and XDG_RUNTIME_DIR say where containers run.
   */
  environment?: Readonly<Record<string, string | undefined>>
  /** Path of kubectl; default the one on the PATH of `environment`. Without any, or with false, k8s handlers are refused. */
  kubectl?: string | false
  /** Sockets of a container engine to try without DOCKER_HOST; default Docker's. With false, docker handlers are refused. */
  docker?: {readonly sockets: readonly string[]} | false
  /** Where the values of secret parameters may come from, beside ATOMCTL_SECRET_… of `environment`; default what VAULT_… of `environment` says. */
  secrets?: SecretOptions
  /** Executions that run at the same time; default 16. */
  concurrency?: number
  /** A handler without `timeout` may take this long; default one hour. */
  defaultTimeoutMs?: number
  /** Between SIGTERM and SIGKILL; default 2 s. */
  killGraceMs?: number
  /** How long `close` waits for running executions; default 10 s. */
  drainMs?: number
  /** On PostgreSQL: after how long without a sign of life others carry on what a runtime ran; default 15 s. */
  leaseMs?: number
  /** Bytes of one request; default 4 MiB. */
  bodyLimit?: number
  /** Silence on an event stream after which a comment is sent; default 15 s. */
  heartbeatMs?: number
  /** After how many days an ended execution is forgotten; default 30, Infinity keeps all. */
  retentionDays?: number
  logger?: Logger
}

export const SILENT: Logger = {info: () => {}, warn: () => {}, error: () => {}}

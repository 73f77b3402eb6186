import type {Clock} from './clock.ts'

/** Where proxied requests go, from the usual variables (read by sdk/config). Loopback is never proxied. */
export interface ProxyOptions {
  readonly http?: string | undefined
  readonly https?: string | undefined
  readonly noProxy?: string | undefined
}

export interface RetryOptions {
  /** All tries together, the first included. */
  readonly maxAttempts: number
  /** Milliseconds before the first retry; doubles each time, with jitter. */
  readonly baseDelay: number
}

/** How a client talks HTTP; times in milliseconds. */
export interface HttpOptions {
  readonly connectTimeout: number
  /** For a whole answer; while a body is being sent, for each stretch without progress. */
  readonly requestTimeout: number
  readonly retry: RetryOptions
  readonly userAgent: string
  readonly proxy?: ProxyOptions | undefined
  /** PEM certificates trusted in addition to the platform's. */
  readonly extraCertificates?: string | undefined
  /** Receives one line per request and answer; never a secret. */
  readonly debug?: ((line: string) => void) | undefined
  readonly clock?: Clock | undefined
  /** In [0, 1); spreads the retries of many clients. */
  readonly random?: (() => number) | undefined
}

/** One service. The caller has checked that `token` was configured for the origin of `baseUrl`. */
export interface Target {
  /** As `normalizeBaseUrl` returns it. */
  readonly baseUrl: string
  readonly token?: string | undefined
  /** Stops everything sent to this service. */
  readonly signal?: AbortSignal | undefined
}

/** A body that can be sent more than once: every attempt calls `open` again. */
export interface RequestBody {
  readonly contentType: string
  /** Bytes; known in advance so that no proxy has to buffer. */
  readonly length: number
  open(): Uint8Array | AsyncIterable<Uint8Array>
}

export interface RequestSpec {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Starts with a slash, segments already encoded. */
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | undefined>> | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body?: RequestBody | undefined
  /** Error statuses whose answer the caller reads itself, as OAuth has it: 400 with a JSON `error`. */
  readonly accepts?: readonly number[] | undefined
  /** May be sent again after a failure that leaves its fate open. Default: only GET. */
  readonly idempotent?: boolean | undefined
  readonly signal?: AbortSignal | undefined
  /** Longest answer accepted, in bytes. */
  readonly maxBytes?: number | undefined
  /** How errors name the other side: `registry`, `runtime`. */
  readonly service?: string | undefined
}

export interface StreamSpec extends RequestSpec {
  /** Milliseconds without a byte after which the stream counts as dead. */
  readonly idleTimeout?: number | undefined
}

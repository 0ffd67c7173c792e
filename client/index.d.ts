/** The options of a client: authentication, retries, timeouts and memory. */
export interface ClientOptions {
  /** A read token, if the resolver needs one. It is sent over https or to this machine only, and follows no redirect. */
  token?: string | undefined
  /** The caller, unless a call names another one. */
  caller?: Caller | undefined
  /** The maximum number of requests per call, including the first; 3 by default. */
  attempts?: number | undefined
  /** The timeout of one request in milliseconds; 5,000 by default. */
  timeout?: number | undefined
  /** The wait before the second request in milliseconds, doubled for each further request, with jitter; 100 by default. */
  backoff?: number | undefined
  /**
   * The longest wait between two requests in milliseconds; 2,000 by default. `Retry-After` may ask for a longer one,
   * which is waited for within `patience`, unless there is a last good answer: then the call returns that one at once.
   */
  maxDelay?: number | undefined
  /** The longest time in milliseconds after which another request of the same call begins; 15,000 by default. */
  patience?: number | undefined
  /** The size of the memory for contents and answers in bytes; 16 MiB by default. */
  memory?: number | undefined
  /** Replaces the global `fetch`, for example with that of a service binding or of a test. */
  fetch?: ((input: string, init: RequestInit) => Promise<Response>) | undefined
}

/** The properties of a caller on which the choice in a split slot depends. */
export interface Caller {
  /** Identifies the caller: the same key gets the same version. White space around it does not count. */
  key?: string | undefined
  /** The segments of the caller. The first one that the slot routes separately counts. */
  segments?: string[] | undefined
  /** A version of the slot that the caller requests: `v1.1.0`. Ignored if the slot does not have it. */
  override?: string | undefined
  /** The value of `Cloudflare-Workers-Version-Overrides`: which version of the Worker itself answers. Sent unchanged. */
  scriptOverride?: string | undefined
}

/** The options of one call. */
export interface CallOptions {
  caller?: Caller | undefined
  /** Aborts the call. The call rejects with the signal's reason. */
  signal?: AbortSignal | undefined
}

/** Present if the resolver is unavailable and the client returns the last good answer. */
export interface Unavailable {
  /** Seconds since that answer. */
  seconds: number
  /** The reason why there is no newer answer. */
  error: Error
}

/** The content of a component and its metadata. */
export interface Component {
  /** The requested reference. */
  reference: string
  /** The canonical path of the component: `/components/prompts/extraction@v1.1.0`. */
  url: string
  version: string
  commit: string
  /** The SHA-256 digest of the content, in hex. */
  digest: string
  /** The media type. */
  type: string
  bytes: ArrayBuffer
  /** The slot that the version belongs to, if the reference is a slot. */
  slot?: string
  assignment?: 'override' | 'segment' | 'key' | 'random' | 'sole'
  /** Age in seconds of the resolver's last good record, if Workers KV is unavailable. */
  stale?: number
  /** `resolver` if the content came with this response; `memory` if it was confirmed by a 304 or never changes. */
  source: 'resolver' | 'memory'
  /** Set only if the resolver is unavailable. */
  unavailable?: Unavailable
  text(): string
  json<Value = unknown>(): Value
}

/** The result of `POST /resolve` for one reference of a snapshot. */
export interface Resolved {
  ref: string
  exact?: string
  url?: string
  component?: string
  version?: string
  digest?: string
  size?: number
  type?: string
  commit?: string
  date?: string
  slot?: string
  assignment?: Component['assignment']
  stale?: number
  content?: string
  contentBase64?: string
  error?: Problem
}

/** The results for several references at one point in time. */
export interface Snapshot {
  scriptVersion: { id: string; tag: string; timestamp: string }
  /** One result per reference, in the same order. */
  resolved: Resolved[]
  unavailable?: Unavailable
}

/** A problem as defined in RFC 9457. */
export interface Problem {
  type: string
  title: string
  status: number
  detail: string
  instance: string
  code: string
  /** The existing name that is nearest to the unknown one. */
  nearest?: string
  existing?: { versions: string[]; slots: string[] }
}

/** Thrown if the resolver refuses a request, or if it is unavailable and there is no last good answer. */
export class ResolverError extends Error {
  constructor(
    message: string,
    options?: {
      status?: number | undefined
      problem?: Problem | undefined
      cause?: unknown
      retryAfter?: number | undefined
    },
  )
  /** The HTTP status, or 0 if there was no response. */
  readonly status: number
  /** The stable error code, for example `SLOT_UNKNOWN`; empty if there was no response. */
  readonly code: string
  readonly problem: Problem | undefined
  /** The value of `Retry-After` in seconds. */
  readonly retryAfter: number | undefined
}

export interface Client {
  /** Reads a component by its reference: `prompts/extraction@production`, `schemas/order@^2`. */
  get(reference: string, options?: CallOptions): Promise<Component>
  /** Resolves up to 100 references as one consistent snapshot. `content` adds their contents. */
  resolve(references: string[], options?: CallOptions & { content?: boolean | undefined }): Promise<Snapshot>
  /** Returns this client for another caller. Both share one memory. */
  forCaller(caller: Caller): Client
  /**
   * Returns this client for the sender of a request. It forwards the request's
   * `Component-Version-Key` (or else `Cloudflare-Workers-Version-Key`).
   *
   * With `overrides`, it also forwards `Component-Version-Override` and
   * `Cloudflare-Workers-Version-Overrides`: the sender then chooses the version. Do not
   * set it for requests of end users.
   */
  forRequest(
    request: { headers: { get(name: string): string | null } },
    options?: { overrides?: boolean | undefined },
  ): Client
}

/** Creates a client of the resolver at `url`. Reuse it: it keeps contents and the last good answers in memory. */
export function createClient(url: string | URL, options?: ClientOptions): Client

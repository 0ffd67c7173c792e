/** How the resolver is reached, and with how much patience. */
export interface ClientOptions {
  /** A read token, where the resolver wants one. */
  token?: string
  /** Who asks, where a call does not say it. */
  caller?: Caller
  /** Requests for one answer, the first included; 3 by default. */
  attempts?: number
  /** Milliseconds for which one request may take; 5,000 by default. */
  timeout?: number
  /** Milliseconds before the second request, doubled for each further one, with jitter; 100 by default. */
  backoff?: number
  /** The longest wait between two requests in milliseconds; 2,000 by default. A longer `Retry-After` is not waited for. */
  maxDelay?: number
  /** Bytes of contents that are kept; 16 MiB by default. */
  memory?: number
  /** Instead of the global `fetch`: a service binding's, a test's. */
  fetch?: (input: string, init: RequestInit) => Promise<Response>
}

/** What a split slot depends on. */
export interface Caller {
  /** Identifies the caller: the same key gets the same version. */
  key?: string
  /** The caller's groups; the first that the slot routes apart counts. */
  segments?: string[]
  /** A version that the caller wants, if it is one of the slot's: `v1.1.0`. */
  override?: string
  /** Sent along as it is: which version of the Worker itself answers. */
  scriptOverride?: string
}

/** A call's own settings. */
export interface CallOptions {
  caller?: Caller
  /** Ends the call with the signal's reason. */
  signal?: AbortSignal
}

/** The resolver did not answer, and what is given is the last good answer. */
export interface Away {
  /** Seconds since that answer. */
  seconds: number
  /** Why there is no newer one. */
  error: Error
}

/** A component's content and what is said of it. */
export interface Component {
  /** What was asked for. */
  reference: string
  /** Its canonical address: `/components/prompts/extraction@v1.1.0`. */
  url: string
  version: string
  commit: string
  /** The SHA-256 of the content, in hex. */
  digest: string
  /** The media type. */
  type: string
  bytes: ArrayBuffer
  /** The slot whose version it is, where a slot was asked for. */
  slot?: string
  assignment?: 'override' | 'segment' | 'key' | 'random' | 'sole'
  /** Seconds since the resolver's own last good read, where Workers KV is away. */
  stale?: number
  /** Whether the content came with this answer, or was known and confirmed (or never changes). */
  source: 'resolver' | 'memory'
  /** There where the resolver is away. */
  away?: Away
  text(): string
  json<Value = unknown>(): Value
}

/** One reference of a snapshot: what `POST /resolve` says of it. */
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

/** What several references lead to, at one moment. */
export interface Snapshot {
  scriptVersion: { id: string; tag: string; timestamp: string }
  /** In the order of the references. */
  resolved: Resolved[]
  away?: Away
}

/** RFC 9457. */
export interface Problem {
  type: string
  title: string
  status: number
  detail: string
  instance: string
  code: string
  existing?: { versions: string[]; slots: string[] }
}

/** The resolver refused, or could not be reached and there is no last good answer. */
export class ResolverError extends Error {
  constructor(message: string, options?: { status?: number; problem?: Problem; cause?: unknown; retryAfter?: number })
  /** The HTTP status; 0 where there was no answer. */
  readonly status: number
  /** The stable code, `SLOT_UNKNOWN`; empty where there was no answer. */
  readonly code: string
  readonly problem?: Problem
  /** Seconds after which the resolver asks to be asked again. */
  readonly retryAfter?: number
}

export interface Client {
  /** A component by its reference: `prompts/extraction@production`, `schemas/order@^2`. */
  get(reference: string, options?: CallOptions): Promise<Component>
  /** Up to a hundred references as one consistent snapshot, with their contents if asked for. */
  resolve(references: string[], options?: CallOptions & { content?: boolean }): Promise<Snapshot>
  /** The same client, with the same memory, for another caller. */
  forCaller(caller: Caller): Client
  /**
   * For whoever sent this request: its `Cloudflare-Workers-Version-Key` (or
   * `Component-Version-Key`), `Cloudflare-Workers-Version-Overrides` and
   * `Component-Version-Override` are forwarded.
   */
  forRequest(request: { headers: { get(name: string): string | null } }): Client
}

/** A client of the resolver at `url`. Keep it: it remembers contents and the last good answers. */
export function createClient(url: string | URL, options?: ClientOptions): Client

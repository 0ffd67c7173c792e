/**
 * component-resolver over a service binding: the read half of Workers' `KVNamespace`.
 *
 *     [[services]]
 *     binding = "COMPONENTS"
 *     service = "component-resolver"
 *
 * A key is what Conductor asks for: `prompts/extraction@production`,
 * `prompts/extraction/production`, `components/prompts/extraction/production`,
 * `prompts/extraction/_versions`. Its reference is a version (`v1.1.0`), a slot, a
 * SemVer range as npm means it (`^1.0`), a commit id or `sha256:<hex>`; without one
 * it is `latest`. A missing key is `null`; a store that fails throws, and so does a
 * version that was revoked.
 */

/** What stands beside a component. */
export interface ComponentMetadata {
  /** The commit that the version was made at: 40 or 64 hex digits. */
  sha: string
  /** When that was, RFC 3339. */
  date: string
  /** Who made that commit. */
  author?: string
  /** The component's type in the singular: `prompt`. */
  type: string
  /** The exact version: `v1.1.0`, or a commit id. */
  version: string
  /** The SHA-256 of the content, in hex. */
  digest: string
  /** The slot whose version it is, where a slot was asked for: the arm of a split. */
  slot?: string
  /** The rule that chose it; in a listing only for a slot that is not split. */
  assignment?: 'override' | 'segment' | 'key' | 'random' | 'sole'
  /** Seconds since the record was last read, where Workers KV failed and the last good one answers. */
  stale?: number
}

/** Who asks: without it, a split slot draws for every call. */
export interface Caller {
  /** Identifies the caller: the same key gets the same version. */
  key?: string
  /** The caller's groups; the first that the slot routes apart counts. */
  segments?: string[]
  /** A version that the caller wants, if it is one of the slot's: `v1.1.0`. */
  override?: string
}

/** The second argument of a read. */
export interface GetOptions<Type> {
  type: Type
  /** Taken as Cloudflare takes it, 30 at least; the resolver's own settings say how long anything is kept. */
  cacheTtl?: number
  /** Who asks, for this call. */
  caller?: Caller
}

export interface ListOptions {
  /** 1,000 at most and by default. */
  limit?: number
  prefix?: string | null
  cursor?: string | null
}

export interface ListedKey<Metadata, Key extends string = string> {
  name: Key
  expiration?: number
  metadata?: Metadata
}

export type ListResult<Metadata, Key extends string = string> =
  | { list_complete: false; keys: ListedKey<Metadata, Key>[]; cursor: string; cacheStatus: string | null }
  | { list_complete: true; keys: ListedKey<Metadata, Key>[]; cacheStatus: string | null }

export interface GetWithMetadataResult<Value, Metadata> {
  value: Value | null
  metadata: Metadata | null
  cacheStatus: string | null
}

/** A component's value, where the type says how it is read. */
export interface ComponentReader {
  get(key: string, options?: Partial<GetOptions<undefined>>): Promise<string | null>
  get(key: string, type: 'text'): Promise<string | null>
  get<ExpectedValue = unknown>(key: string, type: 'json'): Promise<ExpectedValue | null>
  get(key: string, type: 'arrayBuffer'): Promise<ArrayBuffer | null>
  get(key: string, type: 'stream'): Promise<ReadableStream | null>
  get(key: string, options?: GetOptions<'text'>): Promise<string | null>
  get<ExpectedValue = unknown>(key: string, options?: GetOptions<'json'>): Promise<ExpectedValue | null>
  get(key: string, options?: GetOptions<'arrayBuffer'>): Promise<ArrayBuffer | null>
  get(key: string, options?: GetOptions<'stream'>): Promise<ReadableStream | null>
  /** A hundred keys at most, in as few reads as they need. */
  get(keys: Array<string>, type: 'text'): Promise<Map<string, string | null>>
  get<ExpectedValue = unknown>(keys: Array<string>, type: 'json'): Promise<Map<string, ExpectedValue | null>>
  get(keys: Array<string>, options?: Partial<GetOptions<undefined>>): Promise<Map<string, string | null>>
  get(keys: Array<string>, options?: GetOptions<'text'>): Promise<Map<string, string | null>>
  get<ExpectedValue = unknown>(keys: Array<string>, options?: GetOptions<'json'>): Promise<Map<string, ExpectedValue | null>>

  getWithMetadata<Metadata = ComponentMetadata>(key: string, options?: Partial<GetOptions<undefined>>): Promise<GetWithMetadataResult<string, Metadata>>
  getWithMetadata<Metadata = ComponentMetadata>(key: string, type: 'text'): Promise<GetWithMetadataResult<string, Metadata>>
  getWithMetadata<ExpectedValue = unknown, Metadata = ComponentMetadata>(key: string, type: 'json'): Promise<GetWithMetadataResult<ExpectedValue, Metadata>>
  getWithMetadata<Metadata = ComponentMetadata>(key: string, type: 'arrayBuffer'): Promise<GetWithMetadataResult<ArrayBuffer, Metadata>>
  getWithMetadata<Metadata = ComponentMetadata>(key: string, type: 'stream'): Promise<GetWithMetadataResult<ReadableStream, Metadata>>
  getWithMetadata<Metadata = ComponentMetadata>(key: string, options: GetOptions<'text'>): Promise<GetWithMetadataResult<string, Metadata>>
  getWithMetadata<ExpectedValue = unknown, Metadata = ComponentMetadata>(key: string, options: GetOptions<'json'>): Promise<GetWithMetadataResult<ExpectedValue, Metadata>>
  getWithMetadata<Metadata = ComponentMetadata>(key: string, options: GetOptions<'arrayBuffer'>): Promise<GetWithMetadataResult<ArrayBuffer, Metadata>>
  getWithMetadata<Metadata = ComponentMetadata>(key: string, options: GetOptions<'stream'>): Promise<GetWithMetadataResult<ReadableStream, Metadata>>
  /** As Workers KV has it, a key that is not there is `null` in the Map itself. */
  getWithMetadata<Metadata = ComponentMetadata>(keys: Array<string>, type: 'text'): Promise<Map<string, GetWithMetadataResult<string, Metadata>>>
  getWithMetadata<ExpectedValue = unknown, Metadata = ComponentMetadata>(keys: Array<string>, type: 'json'): Promise<Map<string, GetWithMetadataResult<ExpectedValue, Metadata>>>
  getWithMetadata<Metadata = ComponentMetadata>(keys: Array<string>, options?: Partial<GetOptions<undefined>>): Promise<Map<string, GetWithMetadataResult<string, Metadata>>>
  getWithMetadata<Metadata = ComponentMetadata>(keys: Array<string>, options?: GetOptions<'text'>): Promise<Map<string, GetWithMetadataResult<string, Metadata>>>
  getWithMetadata<ExpectedValue = unknown, Metadata = ComponentMetadata>(keys: Array<string>, options?: GetOptions<'json'>): Promise<Map<string, GetWithMetadataResult<ExpectedValue, Metadata>>>

  /** The keys in all forms, in the order of their bytes; `prompts/extraction@`, `prompts/`, ... */
  list<Metadata = ComponentMetadata>(options?: ListOptions): Promise<ListResult<Metadata>>

  /** Refused: the edge is for reading. */
  put(key: string, value: unknown, options?: unknown): Promise<never>
  /** Refused: the edge is for reading. */
  delete(key: string): Promise<never>
}

/** The service binding. */
export interface ComponentResolver extends ComponentReader {
  /**
   * The same methods for one caller, whose key gets the same version every time:
   * `await env.COMPONENTS.forCaller({ key: user }).get('prompts/extraction@production')`.
   */
  forCaller(caller: Caller): Promise<ComponentReader & Disposable> & ComponentReader
  fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>
}

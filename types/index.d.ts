/**
 * The types of component-resolver over a service binding: the read methods of Workers' `KVNamespace`.
 *
 *     [[services]]
 *     binding = "COMPONENTS"
 *     service = "component-resolver-production"
 *
 * The keys have the forms that Conductor uses: `prompts/extraction@production`,
 * `prompts/extraction/production`, `components/prompts/extraction/production`,
 * `prompts/extraction/_versions`. The reference in a key is a version (`v1.1.0`), a slot, a
 * SemVer range in npm's dialect (`^1.0`), a commit id or `sha256:<hex>`. A key without a
 * reference means `latest`. A key that does not exist returns `null`. A failed read of
 * Workers KV throws, and so does a revoked version.
 */

/** The metadata of a component. */
export interface ComponentMetadata {
  /** The commit of the version: 40 or 64 hex digits. */
  sha: string
  /** The time of that commit, in RFC 3339 format. */
  date: string
  /** The author of that commit. */
  author?: string
  /** The component's type in the singular: `prompt`. */
  type: string
  /** The exact version: `v1.1.0`, or a commit id. */
  version: string
  /** The SHA-256 digest of the content, in hex. */
  digest: string
  /** The slot that the version belongs to, if the reference is a slot: the arm of a split. */
  slot?: string
  /** The rule that chose the version. A listing has it only for slots that are not split. */
  assignment?: 'override' | 'segment' | 'key' | 'random' | 'sole'
  /** Age in seconds of the last good record, if it was used because a read of Workers KV failed. */
  stale?: number
}

/** The caller of a read. Without it, a split slot chooses an arm at random for every call. */
export interface Caller {
  /** Identifies the caller: the same key gets the same version. */
  key?: string
  /** The segments of the caller. The first one that the slot routes separately counts. */
  segments?: string[]
  /** A version of the slot that the caller requests: `v1.1.0`. Ignored if the slot does not have it. */
  override?: string
}

/** The options of a read. */
export interface GetOptions<Type> {
  type: Type
  /** In seconds, at least 30. Accepted for compatibility; the resolver's own settings control caching. */
  cacheTtl?: number
  /** The caller, for this call only. */
  caller?: Caller
}

export interface ListOptions {
  /** The number of keys: at most 1,000, which is the default. */
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

/** The methods that read components. `type` selects the type of the returned value. */
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
  /** Reads at most 100 keys with as few KV reads as possible. */
  get(keys: Array<string>, type: 'text'): Promise<Map<string, string | null>>
  get<ExpectedValue = unknown>(keys: Array<string>, type: 'json'): Promise<Map<string, ExpectedValue | null>>
  get(keys: Array<string>, options?: Partial<GetOptions<undefined>>): Promise<Map<string, string | null>>
  get(keys: Array<string>, options?: GetOptions<'text'>): Promise<Map<string, string | null>>
  get<ExpectedValue = unknown>(
    keys: Array<string>,
    options?: GetOptions<'json'>,
  ): Promise<Map<string, ExpectedValue | null>>

  getWithMetadata<Metadata = ComponentMetadata>(
    key: string,
    options?: Partial<GetOptions<undefined>>,
  ): Promise<GetWithMetadataResult<string, Metadata>>
  getWithMetadata<Metadata = ComponentMetadata>(
    key: string,
    type: 'text',
  ): Promise<GetWithMetadataResult<string, Metadata>>
  getWithMetadata<ExpectedValue = unknown, Metadata = ComponentMetadata>(
    key: string,
    type: 'json',
  ): Promise<GetWithMetadataResult<ExpectedValue, Metadata>>
  getWithMetadata<Metadata = ComponentMetadata>(
    key: string,
    type: 'arrayBuffer',
  ): Promise<GetWithMetadataResult<ArrayBuffer, Metadata>>
  getWithMetadata<Metadata = ComponentMetadata>(
    key: string,
    type: 'stream',
  ): Promise<GetWithMetadataResult<ReadableStream, Metadata>>
  getWithMetadata<Metadata = ComponentMetadata>(
    key: string,
    options: GetOptions<'text'>,
  ): Promise<GetWithMetadataResult<string, Metadata>>
  getWithMetadata<ExpectedValue = unknown, Metadata = ComponentMetadata>(
    key: string,
    options: GetOptions<'json'>,
  ): Promise<GetWithMetadataResult<ExpectedValue, Metadata>>
  getWithMetadata<Metadata = ComponentMetadata>(
    key: string,
    options: GetOptions<'arrayBuffer'>,
  ): Promise<GetWithMetadataResult<ArrayBuffer, Metadata>>
  getWithMetadata<Metadata = ComponentMetadata>(
    key: string,
    options: GetOptions<'stream'>,
  ): Promise<GetWithMetadataResult<ReadableStream, Metadata>>
  /** As in Workers KV, a key that does not exist has the value `null` in the Map. */
  getWithMetadata<Metadata = ComponentMetadata>(
    keys: Array<string>,
    type: 'text',
  ): Promise<Map<string, GetWithMetadataResult<string, Metadata>>>
  getWithMetadata<ExpectedValue = unknown, Metadata = ComponentMetadata>(
    keys: Array<string>,
    type: 'json',
  ): Promise<Map<string, GetWithMetadataResult<ExpectedValue, Metadata>>>
  getWithMetadata<Metadata = ComponentMetadata>(
    keys: Array<string>,
    options?: Partial<GetOptions<undefined>>,
  ): Promise<Map<string, GetWithMetadataResult<string, Metadata>>>
  getWithMetadata<Metadata = ComponentMetadata>(
    keys: Array<string>,
    options?: GetOptions<'text'>,
  ): Promise<Map<string, GetWithMetadataResult<string, Metadata>>>
  getWithMetadata<ExpectedValue = unknown, Metadata = ComponentMetadata>(
    keys: Array<string>,
    options?: GetOptions<'json'>,
  ): Promise<Map<string, GetWithMetadataResult<ExpectedValue, Metadata>>>

  /** Lists the keys in all forms, in byte order. Prefixes: `prompts/extraction@`, `prompts/`, ... */
  list<Metadata = ComponentMetadata>(options?: ListOptions): Promise<ListResult<Metadata>>

  /** Always throws: the binding is read-only. */
  put(key: string, value: unknown, options?: unknown): Promise<never>
  /** Always throws: the binding is read-only. */
  delete(key: string): Promise<never>
}

/** The service binding. */
export interface ComponentResolver extends ComponentReader {
  /**
   * Returns the same methods for one caller. The same key gets the same version every time:
   * `await env.COMPONENTS.forCaller({ key: user }).get('prompts/extraction@production')`.
   */
  forCaller(caller: Caller): Promise<ComponentReader & Disposable> & ComponentReader
  fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>
}

import http from 'node:http'
import { listen } from '../../../tools/listen.mjs'
import { NAMESPACE_HEADER } from '../../../tools/workerd/capnp.mjs'
import { checkMode, failWith } from './kv-failures.mjs'
import { KvStore } from './kv-store.mjs'

const JSON_HEADERS = { 'content-type': 'application/json' }

/**
 * Workers KV in memory, over workerd's KV protocol.
 *
 * `reads` records every read in order: `{ namespace, op, keys, cacheTtl }` with op `get`, `bulk` or
 * `list`. `writes` records writes, which are refused. `beforeRead(read)` is called before each answer
 * and may change the store.
 */
export class KvServer {
  reads = []
  writes = []
  /** @type {undefined | ((read: object) => unknown)} */
  beforeRead = undefined
  /** Called when an answer has ended, or its connection was closed. @type {undefined | ((read: object) => unknown)} */
  afterRead = undefined
  address = ''
  #rules = []
  #server = http.createServer((request, response) => this.#serve(request, response))

  constructor(namespaces) {
    this.store = new KvStore(namespaces)
  }

  async listen() {
    this.address = `127.0.0.1:${await listen(this.#server, 0)}`
    // A test that fails before it stops the server must still end.
    this.#server.unref().on('connection', (socket) => socket.unref())
    return this
  }

  put(...args) {
    this.store.put(...args)
  }

  delete(...args) {
    return this.store.delete(...args)
  }

  /** The number of reads of a namespace; of all namespaces without a name. */
  count(namespace) {
    return this.reads.filter((read) => !namespace || read.namespace === namespace).length
  }

  forget() {
    this.reads = []
    this.writes = []
  }

  /** Makes the next `times` reads fail, optionally of one namespace or key only. */
  fail(mode, { namespace = undefined, key = undefined, times = Number.POSITIVE_INFINITY } = {}) {
    checkMode(mode)
    this.#rules.push({ mode, namespace, key, times })
  }

  heal() {
    this.#rules = []
  }

  async stop() {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #serve(request, response) {
    try {
      const read = await parse(request)
      if (!read.op) return this.#refuseWrite(read, response)
      this.reads.push(read)
      response.on('close', () => this.afterRead?.(read))
      await this.beforeRead?.(read)
      this.#answer(read, response)
    } catch (error) {
      response.writeHead(500).end(`the test's KV server failed: ${error.stack}`)
    }
  }

  /** @param {{ method?: string, namespace: string, keys: string[] }} write @param {http.ServerResponse} response */
  #refuseWrite({ method, namespace, keys }, response) {
    this.writes.push({ method, namespace, keys })
    response.writeHead(405).end('this KV is for reading only')
  }

  #answer(read, response) {
    const answer = ANSWERS[read.op](this.store, read)
    const rule = this.#rules.find((candidate) => applies(candidate, read))
    if (!rule) return response.writeHead(answer.status, answer.headers).end(answer.body)
    rule.times -= 1
    failWith(rule.mode, response, answer)
  }
}

export const startKvServer = (namespaces) => new KvServer(namespaces).listen()

function applies({ namespace, key, times }, read) {
  if (times <= 0) return false
  if (namespace !== undefined && namespace !== read.namespace) return false
  return key === undefined || read.keys.includes(key)
}

async function bodyOf(request) {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

const number = (text) => (text === null || text === undefined ? undefined : Number(text))

/** Parses a request of workerd; the result has no `op` for a write. */
async function parse(request) {
  const { pathname, searchParams: query } = new URL(request.url, 'http://kv')
  const namespace = request.headers[NAMESPACE_HEADER]
  const route = `${request.method} ${pathname}`
  if (route === 'POST /bulk/get') return { namespace, op: 'bulk', ...bulk(await bodyOf(request)) }
  if (route === 'GET /') return { namespace, op: 'list', keys: [], ...listing(query) }
  const keys = [decodeURIComponent(pathname.slice(1))]
  if (request.method !== 'GET') return { method: request.method, namespace, keys }
  return { namespace, op: 'get', keys, cacheTtl: number(query.get('cache_ttl')) }
}

function bulk(text) {
  const { keys, type = 'text', withMetadata = false, cacheTtl } = JSON.parse(text)
  return { keys, type, withMetadata, cacheTtl: number(cacheTtl) }
}

const listing = (query) => ({
  prefix: query.get('prefix') ?? undefined,
  limit: number(query.get('key_count_limit')),
  cursor: query.get('cursor') ?? undefined,
})

const ANSWERS = { get: answerGet, bulk: answerBulk, list: answerList }

const json = (value) => ({ status: 200, headers: JSON_HEADERS, body: Buffer.from(JSON.stringify(value)) })

// Node sends headers as Latin-1, workerd reads them as UTF-8.
const utf8Header = (text) => Buffer.from(text).toString('latin1')

function answerGet(store, { namespace, keys: [key] }) {
  const entry = store.entry(namespace, key)
  if (!entry) return { status: 404, headers: {}, body: Buffer.from('Not Found') }
  const headers = {}
  if (entry.metadata !== undefined) headers['cf-kv-metadata'] = utf8Header(JSON.stringify(entry.metadata))
  if (entry.expiration !== undefined) headers['cf-expiration'] = String(entry.expiration)
  return { status: 200, headers, body: entry.value }
}

function answerBulk(store, { namespace, keys, type, withMetadata }) {
  const found = {}
  for (const key of keys) {
    const entry = store.entry(namespace, key)
    const text = entry?.value.toString()
    const value = entry && type === 'json' ? JSON.parse(text) : (text ?? null)
    found[key] = entry && withMetadata ? { value, metadata: entry.metadata ?? null } : value
  }
  return json(found)
}

function answerList(store, { namespace, prefix, limit, cursor }) {
  const page = store.page(namespace, { prefix, limit, cursor })
  const keys = page.keys.map((name) => {
    const { metadata, expiration } = store.entry(namespace, name)
    return { name, expiration, metadata: metadata === undefined ? undefined : JSON.stringify(metadata) }
  })
  return json({ keys, list_complete: page.cursor === undefined, cursor: page.cursor, cacheStatus: null })
}

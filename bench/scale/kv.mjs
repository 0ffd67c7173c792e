// A Workers KV REST API in memory that counts its calls, with Cloudflare's addresses, envelope and
// limits. The benchmark does not use wrangler's local KV, as the tests do, because the time of a
// batch there grows with the square of its size.
import http from 'node:http'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { listen } from '../../tools/listen.mjs'

export const ACCOUNT = '0123456789abcdef0123456789abcdef'
const ROOT = `/client/v4/accounts/${ACCOUNT}/storage/kv/namespaces/`
const LIMITS = { pairs: 10_000, bytes: 100_000_000, keys: 100, page: 1_000 }

class Namespace {
  values = new Map()
  /** The sorted keys; undefined after a key was added or deleted. */
  sorted = null

  put(key, value, metadata) {
    if (!this.values.has(key)) this.sorted = null
    this.values.set(key, { value, metadata })
  }

  delete(key) {
    if (this.values.delete(key)) this.sorted = null
  }

  page(prefix, cursor, limit) {
    this.sorted ??= [...this.values.keys()].sort()
    const of = prefix ? this.sorted.filter((key) => key.startsWith(prefix)) : this.sorted
    const first = Number(cursor ?? 0)
    const keys = of.slice(first, first + limit)
    const next = first + limit < of.length ? String(first + limit) : ''
    return { keys: keys.map((name) => ({ name, metadata: this.values.get(name).metadata })), next }
  }
}

/** Starts the API on any free port; `latency` delays each response, in ms. */
function serve(port, latency) {
  const namespaces = new Map()
  let calls = {}
  const namespace = (id) => namespaces.get(id) ?? namespaces.set(id, new Namespace()).get(id)
  const server = http.createServer(async (request, response) => {
    const chunks = []
    for await (const chunk of request) chunks.push(chunk)
    const body = Buffer.concat(chunks)
    if (request.url === '/calls') {
      response.end(JSON.stringify(calls))
      calls = {}
      return
    }
    if (request.url === '/clear') {
      namespaces.clear()
      response.end()
      return
    }
    const url = new URL(request.url, 'http://kv')
    const [id, ...rest] = url.pathname.slice(ROOT.length).split('/')
    const what = `${request.method} ${rest[0]}${rest[1] && rest[0] === 'bulk' ? `/${rest[1]}` : ''}`
    calls[what] = (calls[what] ?? 0) + 1
    const { status = 200, text } = answer(namespace(id), what, url, rest.slice(1).join('/'), body)
    if (latency) await new Promise((resolve) => setTimeout(resolve, latency))
    response.writeHead(status).end(text)
  })
  server.keepAliveTimeout = 60_000
  listen(server, 0).then((own) => port.postMessage(own))
}

const ok = (result, info) => ({
  text: JSON.stringify({ success: true, errors: [], messages: [], result, result_info: info }),
})

const no = (status, code, message) => ({
  status,
  text: JSON.stringify({ success: false, errors: [{ code, message }], messages: [], result: null }),
})

function answer(namespace, what, url, key, body) {
  switch (what) {
    case 'GET keys': {
      const limit = Number(url.searchParams.get('limit') ?? LIMITS.page)
      const { keys, next } = namespace.page(
        url.searchParams.get('prefix'),
        url.searchParams.get('cursor'),
        Math.min(limit, LIMITS.page),
      )
      return ok(keys, { count: keys.length, cursor: next })
    }
    case 'GET values': {
      const found = namespace.values.get(decodeURIComponent(key))
      return found ? { text: found.value } : no(404, 10009, "get: 'key not found'")
    }
    case 'PUT values':
      namespace.put(decodeURIComponent(key), body)
      return ok({})
    case 'PUT bulk': {
      const pairs = JSON.parse(body)
      if (pairs.length > LIMITS.pairs || body.length > LIMITS.bytes) return no(400, 10047, 'too much')
      for (const { key: name, value, base64, metadata } of pairs) {
        namespace.put(name, Buffer.from(value, base64 ? 'base64' : 'utf8'), metadata)
      }
      return ok({ successful_key_count: pairs.length, unsuccessful_keys: [] })
    }
    case 'POST bulk/delete': {
      const keys = JSON.parse(body)
      if (keys.length > LIMITS.pairs) return no(400, 10047, 'too many')
      for (const name of keys) namespace.delete(name)
      return ok({ successful_key_count: keys.length, unsuccessful_keys: [] })
    }
    case 'POST bulk/get': {
      const { keys } = JSON.parse(body)
      if (keys.length > LIMITS.keys) return no(400, 10047, 'too many')
      const text = (name) => namespace.values.get(name)?.value.toString() ?? null
      return ok({ values: Object.fromEntries(keys.map((name) => [name, text(name)])) })
    }
    default:
      return no(404, 7003, what)
  }
}

/** Starts the API in its own thread, so that it does not slow the measuring one down. */
export async function startKv({ latency = 0 } = {}) {
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: { latency } })
  const port = await new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
  const origin = `http://127.0.0.1:${port}`
  return {
    url: `${origin}/client/v4`,
    namespace: (id) => `${origin}${ROOT}${id}`,
    /** The number of calls since the last time, by kind. */
    calls: async () => (await fetch(`${origin}/calls`)).json(),
    /** Deletes all namespaces. */
    clear: async () => (await fetch(`${origin}/clear`)).text(),
    stop: () => worker.terminate(),
  }
}

const { parentPort, workerData, isMainThread } = await import('node:worker_threads')
if (!isMainThread) serve(parentPort, workerData.latency)

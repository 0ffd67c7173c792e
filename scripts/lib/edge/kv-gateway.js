// Real local Workers KV for a workerd beside it: what workerd asks of a KV service over HTTP,
// answered from the bindings of this Worker, which `wrangler dev` serves.
const NAMESPACE_HEADER = 'x-kv-namespace'

export default {
  async fetch(request, env) {
    const namespace = env[request.headers.get(NAMESPACE_HEADER)]
    if (!namespace?.getWithMetadata) return new Response('This is the KV of the local edge.\n', { status: 404 })
    const { pathname, searchParams: query } = new URL(request.url)
    if (request.method === 'POST' && pathname === '/bulk/get') return bulk(namespace, await request.json())
    if (request.method !== 'GET') return new Response('for reading only', { status: 405 })
    return pathname === '/' ? listing(namespace, query) : value(namespace, decodeURIComponent(pathname.slice(1)))
  },
}

async function value(namespace, key) {
  const { value, metadata } = await namespace.getWithMetadata(key, 'stream')
  if (value === null) return new Response('Not Found', { status: 404 })
  return new Response(value, { headers: metadata === null ? {} : { 'cf-kv-metadata': JSON.stringify(metadata) } })
}

async function bulk(namespace, { keys, type = 'text', withMetadata = false }) {
  const found = await (withMetadata ? namespace.getWithMetadata(keys, type) : namespace.get(keys, type))
  return Response.json(Object.fromEntries(found))
}

async function listing(namespace, query) {
  const limit = query.get('key_count_limit')
  const page = await namespace.list({
    prefix: query.get('prefix'), cursor: query.get('cursor'), limit: limit ? Number(limit) : undefined,
  })
  const keys = page.keys.map((key) => ({ ...key, metadata: key.metadata && JSON.stringify(key.metadata) }))
  return Response.json({ ...page, keys })
}

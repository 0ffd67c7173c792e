// Real local Workers KV for a workerd beside it: what workerd asks of a KV service over HTTP,
// answered from the bindings of this Worker, which `wrangler dev` serves. The resolver reads
// values, one by one and in bulk; it lists and writes nothing.
const NAMESPACE_HEADER = 'x-kv-namespace'

export default {
  async fetch(request, env) {
    const namespace = env[request.headers.get(NAMESPACE_HEADER)]
    if (!namespace?.get) return new Response('This is the KV of the local edge.\n', { status: 404 })
    const { pathname } = new URL(request.url)
    if (request.method === 'POST' && pathname === '/bulk/get') return bulk(namespace, await request.json())
    if (request.method === 'GET' && pathname !== '/') return value(namespace, decodeURIComponent(pathname.slice(1)))
    return new Response('The KV of the local edge reads values, and nothing else.\n', { status: 501 })
  },
}

async function value(namespace, key) {
  const value = await namespace.get(key, 'stream')
  return value === null ? new Response('Not Found', { status: 404 }) : new Response(value)
}

async function bulk(namespace, { keys, type }) {
  return Response.json(Object.fromEntries(await namespace.get(keys, type)))
}

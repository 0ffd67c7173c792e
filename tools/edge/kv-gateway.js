// Gives the local KV of `wrangler dev` to another workerd: a Worker that answers workerd's KV
// protocol over HTTP from its own bindings. It supports reads, of one key and in bulk, and neither
// lists nor writes.
const NAMESPACE_HEADER = 'x-kv-namespace'

/**
 * @typedef {object} Namespace the methods of a KV namespace that are used here
 * @property {(key: any, type: string) => Promise<any>} get
 */

export default {
  /** @param {Request} request @param {Record<string, Namespace | undefined>} env */
  async fetch(request, env) {
    const namespace = env[request.headers.get(NAMESPACE_HEADER) ?? '']
    if (!namespace?.get) return new Response('This is the KV of the local edge.\n', { status: 404 })
    const { pathname } = new URL(request.url)
    if (request.method === 'POST' && pathname === '/bulk/get') return bulk(namespace, request)
    if (request.method === 'GET' && pathname !== '/') return one(namespace, decodeURIComponent(pathname.slice(1)))
    return new Response('The KV of the local edge only supports reading values.\n', { status: 501 })
  },
}

/** @param {Namespace} namespace @param {string} key */
async function one(namespace, key) {
  const value = await namespace.get(key, 'stream')
  return value === null ? new Response('Not Found', { status: 404 }) : new Response(value)
}

/** @param {Namespace} namespace @param {Request} request */
async function bulk(namespace, request) {
  const { keys, type } = /** @type {{ keys: string[], type: string }} */ (await request.json())
  return Response.json(Object.fromEntries(await namespace.get(keys, type)))
}

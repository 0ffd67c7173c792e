import { startDev } from '../dev-server.mjs'
import { inRoot } from '../paths.mjs'

/**
 * The local KV of `wrangler dev` with the namespaces that wrangler.toml gives `env`, for the
 * edge to read and for `slotctl … --local <url>` to write: `{ url, address, namespaces, … }`.
 */
export async function startEdgeKv({ env, ...options }) {
  const entry = inRoot('scripts', 'lib', 'edge', 'kv-gateway.js')
  const server = await startDev({ port: 0, entry, env, quiet: true, ...options })
  return { ...server, address: new URL(server.url).host, namespaces: ['SLOTS', 'COMPONENTS'] }
}

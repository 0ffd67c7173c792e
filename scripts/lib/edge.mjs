import { fileURLToPath } from 'node:url'

import { startEdge } from '../../tools/edge/edge.mjs'
import { startDev } from './dev-server.mjs'
import { compatibilityDate, compatibilityFlags } from './wrangler-config.mjs'

const NAMESPACES = ['SLOTS', 'COMPONENTS']
const GATEWAY = fileURLToPath(new URL('../../tools/edge/kv-gateway.js', import.meta.url))

/** The stand-in for wrangler, as a path relative to the project's root. */
export const EDGE_WRANGLER = 'tools/edge/bin/wrangler'

/**
 * Starts the local edge for this project: a version has the bindings and the compatibility date
 * that wrangler.toml gives each environment.
 *
 * @param {Omit<import('../../tools/edge/edge.mjs').EdgeOptions, 'defaults'>} options
 */
export const startLocalEdge = (options) =>
  startEdge({
    ...options,
    defaults: {
      bindings: bindings(),
      compatibilityDate: compatibilityDate(),
      compatibilityFlags: compatibilityFlags(),
    },
  })

const bindings = () => [
  ...NAMESPACES.map((name) => ({ type: 'kv_namespace', name })),
  { type: 'version_metadata', name: 'CF_VERSION_METADATA' },
]

/**
 * Starts the local KV of `wrangler dev` with the namespaces of `env`. The edge reads it, and
 * `slotctl … --local <url>` writes to it.
 *
 * @param {import('./dev-server.mjs').DevOptions} options
 */
export async function startEdgeKv({ env, ...options }) {
  const server = await startDev({ port: 0, entry: GATEWAY, env, quiet: true, ...options })
  return { ...server, address: new URL(server.url).host, namespaces: NAMESPACES }
}

// The Worker in front of the versions: it chooses the version that answers each request, as
// Cloudflare's edge does. The edge sends it the deployments through the entrypoint `Control`.
import { KEY, OVERRIDES } from './headers.js'
import { met, route } from './routing.js'

/** @typedef {{ WORKER: string } & Record<string, any>} Env the Worker's name, and a service for each version id */

/** @type {{ deployments: import('./routing.js').State[], spread: number }} */
const state = { deployments: [], spread: 0 }

const draw = () => crypto.getRandomValues(new Uint32Array(1))[0] / 2 ** 32

/** @param {Request} request @param {Env} env */
async function chosen({ headers }, env) {
  const deployment = met(state.deployments, { now: Date.now(), spread: state.spread, draw })
  if (!deployment) return undefined
  const asked = { worker: env.WORKER, overrides: headers.get(OVERRIDES), key: headers.get(KEY), draw }
  return (await route(deployment.versions, asked))?.version_id
}

export default {
  /** @param {Request} request @param {Env} env */
  async fetch(request, env) {
    const id = await chosen(request, env)
    if (!id) return new Response('There is nothing here yet\n', { status: 404 })
    try {
      return await env[id].fetch(request)
    } catch (error) {
      console.error(`version ${id} threw: ${error instanceof Error ? error.stack : error}`)
      // Cloudflare's response for "Worker threw exception".
      return new Response('error code: 1101', { status: 500 })
    }
  },
}

export const Control = {
  /** @param {Request} request */
  async fetch(request) {
    Object.assign(state, await request.json())
    return new Response(null, { status: 204 })
  },
}

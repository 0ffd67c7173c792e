// The Worker in front of the versions: it stands where Cloudflare's edge chooses the version
// that answers. The controller tells it the deployments through the entrypoint `Control`.
import { KEY, OVERRIDES } from './headers.js'
import { met, route } from './routing.js'

const state = { deployments: [], spread: 0 }

const draw = () => crypto.getRandomValues(new Uint32Array(1))[0] / 2 ** 32

async function chosen(request, env) {
  const { versions } = met(state.deployments, { now: Date.now(), spread: state.spread, draw })
  const { headers } = request
  return route(versions, { worker: env.WORKER, overrides: headers.get(OVERRIDES), key: headers.get(KEY), draw })
}

export default {
  async fetch(request, env) {
    if (state.deployments.length === 0) return new Response('There is nothing here yet\n', { status: 404 })
    const { version_id: id } = await chosen(request, env)
    try {
      return await env[id].fetch(request)
    } catch (error) {
      console.error(`version ${id} threw: ${error?.stack ?? error}`)
      // "Worker threw exception", as Cloudflare's edge answers for it.
      return new Response('error code: 1101', { status: 500 })
    }
  },
}

export const Control = {
  async fetch(request) {
    Object.assign(state, await request.json())
    return new Response(null, { status: 204 })
  },
}

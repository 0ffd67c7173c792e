import { EDGE_WRANGLER, startLocalEdge } from '../../../scripts/lib/edge.mjs'
import { inRoot } from '../../../scripts/lib/paths.mjs'
import { startKvServer } from '../../worker/harness/kv-server.mjs'
import { rawRequest } from '../../worker/harness/request.mjs'

export const WORKER = 'component-resolver-staging'
export const BUILD = inRoot('build')
export const WRANGLER = inRoot(EDGE_WRANGLER)

/** Starts a local edge on an empty KV, with `count` versions of the build. */
export async function edgeWith(count, options = {}) {
  const kv = await startKvServer({ SLOTS: new Map(), COMPONENTS: new Map() })
  const read = { address: kv.address, namespaces: kv.store.names() }
  const edge = await startLocalEdge({ worker: WORKER, kv: read, ...options })
  const ids = []
  for (let number = 0; number < count; number += 1) {
    ids.push((await edge.upload({ build: BUILD, tag: `version-${number}` })).id)
  }
  const stop = async () => {
    await edge.stop()
    await kv.stop()
  }
  return { edge, kv, ids, stop, get: (headers) => scriptVersion(edge.url, headers) }
}

/** Requests `/version`; resolves to the id of the version that answers. */
export async function scriptVersion(url, headers = {}) {
  const answer = await rawRequest(url, { path: '/version', headers })
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text()}`)
  return answer.headers['script-version']
}

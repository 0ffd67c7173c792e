import { KEY, OVERRIDES } from '../../tools/edge/headers.js'
import { EDGE_WRANGLER } from './edge.mjs'

/** @typedef {{ url: string, apiUrl: string, worker: { name: string } }} Edge */

/** @param {string} env */
const which = (env) => `--config wrangler.toml --env ${env}`

/**
 * Shell commands, with comments, that move a second version from 0 % to 10 % on the local edge.
 *
 * @param {{ edge: Edge, ids: string[], env: string, spread: number }} options
 */
export function whatToTry({ edge, ids: [old, next], env, spread }) {
  const deploy = (/** @type {string[]} */ ...shares) =>
    `${EDGE_WRANGLER} versions deploy ${shares.join(' ')} --yes ${which(env)}`
  return `  export EDGE_API=${edge.apiUrl}
  ${EDGE_WRANGLER} deployments status --json ${which(env)}
  curl -i ${edge.url}/components/prompts/extraction@production

  # At 0 %, a version answers only requests that name its id (${spread / 1000} s after the deployment, which takes that long to spread)
  ${deploy(`${next}@0%`, `${old}@100%`)}
  curl -s ${edge.url}/version
  curl -s ${edge.url}/version -H '${OVERRIDES}: ${edge.worker.name}="${next}"'

  # At 10 %, each request gets a random version; a key keeps its version while the percentage grows
  ${deploy(`${next}@10%`, `${old}@90%`)}
  for i in $(seq 20); do curl -s ${edge.url}/version; echo; done
  curl -s ${edge.url}/version -H '${KEY}: ada'

  # Upload build/ as another version
  ${EDGE_WRANGLER} versions upload --tag mine --message 'My change' ${which(env)}`
}

/**
 * Shell commands that release build/ with `slotctl`, which reads the same KV as the edge.
 *
 * @param {{ edge: Edge, kv: { url: string }, ids: string[], env: string }} options
 */
export function releaseToTry({ edge, kv, ids: [old], env }) {
  return `  # Release build/ from 0 to 100 %, after one version has all traffic again
  export EDGE_API=${edge.apiUrl}
  ${EDGE_WRANGLER} versions deploy ${old}@100% --yes ${which(env)}
  target/release/slotctl release ${which(env)} --local ${kv.url} --check-url ${edge.url} --wrangler ${EDGE_WRANGLER} --bake 5s`
}

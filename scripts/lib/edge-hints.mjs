import { KEY, OVERRIDES } from '../../tools/edge/headers.js'
import { EDGE_WRANGLER as WRANGLER } from './edge.mjs'

/** Commands for a shell, with comments: from one version to a tenth for a second, on the edge as it stands. */
export function whatToTry({ edge, ids: [old, next], env, spread }) {
  const deploy = (...shares) => `${WRANGLER} versions deploy ${shares.join(' ')} --yes --env ${env}`
  return `  export EDGE_API=${edge.apiUrl}
  ${WRANGLER} deployments status --json --env ${env}
  curl -i ${edge.url}/components/prompts/extraction@production

  # At 0 % only who asks for a version by its id gets it (after the ${spread / 1000} s that a deployment takes to spread)
  ${deploy(`${next}@0%`, `${old}@100%`)}
  curl -s ${edge.url}/version
  curl -s ${edge.url}/version -H '${OVERRIDES}: ${edge.worker.name}="${next}"'

  # At 10 % chance decides each request, and a key keeps its version while the share grows
  ${deploy(`${next}@10%`, `${old}@90%`)}
  for i in $(seq 20); do curl -s ${edge.url}/version; echo; done
  curl -s ${edge.url}/version -H '${KEY}: ada'

  # Upload build/ as another version
  ${WRANGLER} versions upload --tag mine --message 'My change' --env ${env}`
}

/** The same for a whole release, by `slotctl`, which looks at the KV that the edge reads. */
export function releaseToTry({ edge, kv, ids: [old], env }) {
  return `  # A release of build/, from 0 to 100 %, once one version has all traffic again
  export EDGE_API=${edge.apiUrl}
  ${WRANGLER} versions deploy ${old}@100% --yes --env ${env}
  target/release/slotctl release --env ${env} --local ${kv.url} --check-url ${edge.url} --wrangler ${WRANGLER} --bake 5s`
}

import abTest from '../ensembles/ab-test.yaml'
import canary from '../ensembles/canary.yaml'
import progressive from '../ensembles/progressive-rollout.yaml'
import { run } from './ensemble.js'
import { fromSdk, fromUri, fromValue, listed, versions } from './loaders.js'

const ENSEMBLES = { canary, 'ab-test': abTest, 'progressive-rollout': progressive }

/** The handler of each path; `asked` returns a query parameter. */
const ROUTES = {
  '/loader': async (env, asked) => fromUri(env.COMPONENTS, asked('uri')),
  '/loader/versions': (env, asked) => listed(env.COMPONENTS, asked('type'), asked('path')),
  '/sdk': (env, asked) => fromSdk(env.COMPONENTS_KV, asked('ref'), asked('type')),
  '/sdk/versions': (env, asked) => versions(env.COMPONENTS_KV, asked('name'), asked('type')),
  '/value': (env, asked) => fromValue(env, asked('value')),
}

export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url)
    const asked = (name) => searchParams.get(name) ?? undefined
    const ensemble = ENSEMBLES[pathname.replace(/^\/ensembles\//, '')]
    const answer = ensemble ? () => run(ensemble, env, asked('user')) : ROUTES[pathname]
    if (!answer)
      return Response.json(
        { paths: [...Object.keys(ROUTES), ...Object.keys(ENSEMBLES).map((name) => `/ensembles/${name}`)] },
        { status: 404 },
      )
    try {
      return Response.json(await answer(env, asked))
    } catch (error) {
      return Response.json({ error: error.message }, { status: 500 })
    }
  },
}

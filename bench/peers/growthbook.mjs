// GrowthBook's SDK with its features from KV, evaluated for each caller as its documentation shows it.
import { GrowthBook } from '@growthbook/growthbook'

import { keyOf, parse, serve } from './contents.mjs'

export default {
  async fetch(request, env) {
    const { name, environment } = parse(request)
    const payload = await env.SLOTS.get(`growthbook/${environment}`, { type: 'json', cacheTtl: 30 })
    const growthbook = new GrowthBook({ attributes: { id: keyOf(request) } }).initSync({ payload })
    const arm = growthbook.getFeatureValue(name, null)
    growthbook.destroy()
    return arm ? serve(env, name, arm) : new Response('not found', { status: 404 })
  },
}

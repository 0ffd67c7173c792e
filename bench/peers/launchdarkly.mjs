// LaunchDarkly's SDK for Workers as its documentation shows it, with one client for each environment.
import { init } from '@launchdarkly/cloudflare-server-sdk'

import { keyOf, parse, serve } from './contents.mjs'

const clients = new Map()
const logger = { error: console.error, warn: () => {}, info: () => {}, debug: () => {} }

export default {
  async fetch(request, env) {
    const { name, environment } = parse(request)
    let client = clients.get(environment)
    if (!client) {
      client = init(environment, env.SLOTS, { logger })
      clients.set(environment, client)
      await client.waitForInitialization()
    }
    const arm = await client.variation(name, { kind: 'user', key: keyOf(request) }, null)
    return arm ? serve(env, name, arm) : new Response('not found', { status: 404 })
  },
}

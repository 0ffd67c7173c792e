// A caller that reads KV itself: the slot's record, then the content that it names.
export default {
  async fetch(_request, env) {
    const { targets } = await env.SLOTS.get('prompts/extraction@production', { type: 'json', cacheTtl: 30 })
    return new Response(await env.COMPONENTS.get(`sha256/${targets[0].digest}`))
  },
}

// Like Conductor's own loader: one read of the content under the slot's key, without headers and
// splits.
export default {
  async fetch(request, env) {
    const key = decodeURIComponent(new URL(request.url).pathname.slice('/components/'.length))
    const content = await env.SLOTS.get(key, { cacheTtl: 3600 })
    return content === null ? new Response('not found', { status: 404 }) : new Response(content)
  },
}

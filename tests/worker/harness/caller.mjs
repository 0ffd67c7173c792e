/** A caller over a service binding: `?get=KEY` by RPC; other requests are forwarded. */
export const CALLER = {
  name: 'caller.mjs',
  source: `export default {
  async fetch(request, env) {
    const key = new URL(request.url).searchParams.get('get')
    return key ? new Response(await env.RESOLVER.get(key)) : env.RESOLVER.fetch(request)
  },
}`,
}

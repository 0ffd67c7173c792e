// A caller that uses the resolver over a service binding.
export default {
  fetch: async (_request, env) => new Response(await env.RESOLVER.get('prompts/extraction@production')),
}

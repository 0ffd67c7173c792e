// What a Worker around a flag service has to do itself: read the content that the flag names, and keep it.
const contents = new Map()

/** Answers with the content of a variation `{ digest, type }`. */
export async function serve(env, { digest, type }) {
  let content = contents.get(digest)
  if (!content) {
    content = await env.COMPONENTS.get(`sha256/${digest}`, { type: 'arrayBuffer', cacheTtl: 31536000 })
    contents.set(digest, content)
  }
  return new Response(content, { headers: { 'Content-Type': type } })
}

/** The name of the component and the environment that has its flag: `prompts/sole-20-0` and `sole-20`. */
export function parse(request) {
  const { pathname } = new URL(request.url)
  const name = pathname.slice('/components/'.length, pathname.lastIndexOf('@'))
  return { name, environment: name.slice(name.indexOf('/') + 1, name.lastIndexOf('-')) }
}

export const keyOf = (request) => request.headers.get('Component-Version-Key') ?? 'nobody'

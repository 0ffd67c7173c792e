// What a Worker around a flag service has to do itself: read the content that the flag names, and keep it.
const contents = new Map()

/** Recorded responses of the resolver, by component and digest. */
let recorded

function prepare({ ANSWERS }) {
  const each = ([key, { headers, line }]) =>
    /** @type {const} */ ([key, { line, init: { headers: new Headers(headers) } }])
  return new Map(Object.entries(ANSWERS).map(each))
}

/**
 * Answers with the content of a variation `{ digest, type }`. If the binding ANSWERS has responses of the
 * resolver, sends their headers and writes their log lines.
 */
export async function serve(env, name, { digest, type }) {
  let content = contents.get(digest)
  if (!content) {
    content = await env.COMPONENTS.get(`sha256/${digest}`, { type: 'arrayBuffer', cacheTtl: 31536000 })
    contents.set(digest, content)
  }
  if (!env.ANSWERS) return new Response(content, { headers: { 'Content-Type': type } })
  recorded ??= prepare(env)
  const { line, init } = recorded.get(`${name} ${digest}`)
  console.log(line)
  return new Response(content, init)
}

/** The name of the component and the environment that has its flag: `prompts/sole-20-0` and `sole-20`. */
export function parse(request) {
  const { pathname } = new URL(request.url)
  const name = pathname.slice('/components/'.length, pathname.lastIndexOf('@'))
  return { name, environment: name.slice(name.indexOf('/') + 1, name.lastIndexOf('-')) }
}

export const keyOf = (request) => request.headers.get('Component-Version-Key') ?? 'nobody'

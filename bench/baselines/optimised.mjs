// The fastest JavaScript that we could write for slots: it compares the record as the text that KV
// returned, looks the address up before it parses anything, and reuses complete headers. Everything
// else is left to pointer.mjs.
import pointer, { lastGood, timeoutOf } from './pointer.mjs'

const routes = new Map()
const options = { type: 'text', cacheTtl: 30 }

/** Reads the text of a record; `undefined` if KV fails or is too slow. */
const within = (promise, milliseconds) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds)
    const settled = (text) => {
      clearTimeout(timer)
      resolve(text)
    }
    promise.then(settled, () => settled())
  })

async function learn(request, env, url, key, text) {
  const lines = []
  const log = console.log
  // Keeps the log line that pointer.mjs writes.
  console.log = (line) => {
    lines.push(line)
    log(line)
  }
  const get = async () => {
    if (text === undefined) throw new Error('KV does not answer')
    return JSON.parse(text)
  }
  const response = await pointer.fetch(request, { ...env, SLOTS: { get } })
  console.log = log
  if (text === undefined) return response
  const record = JSON.parse(text)
  const whole = request.method === 'GET' && response.status === 200
  if (record?.targets.length === 1 && !record.segments && whole && lines[0].includes('"memory"')) {
    const body = await response.clone().arrayBuffer()
    const headers = new Headers(response.headers)
    routes.set(url, { key, text, body, init: { status: 200, headers }, line: lines[0], kept: lastGood.get(key) })
  } else if (!routes.has(url)) {
    routes.set(url, { key })
  }
  return response
}

export default {
  async fetch(request, env) {
    const { url } = request
    let route = routes.get(url)
    if (!route) {
      const key = decodeURIComponent(new URL(url).pathname.slice('/components/'.length))
      if (/@v\d/.test(key)) return pointer.fetch(request, env)
      route = { key }
    }
    const read = env.SLOTS.get(route.key, options)
    const text = await (env.PATIENT ? read : within(read, timeoutOf(env)))
    const { headers } = request
    const plain =
      text !== undefined && text === route.text && request.method === 'GET' && headers.get('If-None-Match') === null
    if (!plain || headers.get('Component-Version-Override') !== null) return learn(request, env, url, route.key, text)
    route.kept.at = Date.now()
    console.log(route.line)
    return new Response(route.body, route.init)
  },
}

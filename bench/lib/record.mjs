// Responses of a warm resolver that other Workers send: headers without those of the platform, body and
// log line.
import { rawRequest } from '../../tests/worker/harness/request.mjs'

// The headers that workerd adds.
const PLATFORM = ['connection', 'date', 'keep-alive', 'transfer-encoding', 'content-length']

export const ownHeaders = (headers) =>
  Object.fromEntries(Object.entries(headers).filter(([header]) => !PLATFORM.includes(header)))

/** The name of the component in the path of a slot. */
export const nameIn = (path) => path.slice('/components/'.length, path.lastIndexOf('@'))

const lines = (worker) => worker.output.split('\n').filter((text) => text.startsWith('{'))

async function ask(worker, path, headers = {}) {
  const response = await rawRequest(worker.url, { path, headers })
  if (response.status !== 200) throw new Error(`${path}: ${response.status}`)
  return response
}

/** Records the response to a slot with one version: `{ headers, body, line }`. */
export async function recordAnswer(worker, path) {
  for (let at = 0; at < 20; at += 1) await ask(worker, path)
  const { headers, body } = await ask(worker, path)
  return { headers: ownHeaders(headers), body: body.toString(), line: lines(worker).at(-1) }
}

/**
 * Records the responses to callers 0 to 99 of each slot, with the content from memory:
 * `{ [component and digest]: { headers, line } }`.
 */
export async function recordArms(worker, loads) {
  const recorded = {}
  for (const { path, headers: of } of loads) {
    for (let at = 0; at < 200; at += 1) {
      const { headers } = await ask(worker, path, of(at % 100))
      if (!headers['server-timing'].includes('desc="memory"')) continue
      const name = nameIn(path)
      recorded[`${name} ${JSON.parse(headers.etag)}`] = { headers: ownHeaders(headers), name }
    }
  }
  const logged = lines(worker).map((line) => ({ line, ...JSON.parse(line) }))
  for (const answer of Object.values(recorded)) {
    const version = answer.headers['component-version']
    const of = ({ component, source, ...one }) =>
      component === answer.name && one.version === version && source === 'memory'
    answer.line = logged.findLast(of).line
  }
  return recorded
}

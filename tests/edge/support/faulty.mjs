import { copyFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { inRoot } from '../../../scripts/lib/paths.mjs'
import { temporaryFolder } from '../../cli/support/repo.mjs'

/**
 * Creates the folder of a build with faults: a module around the real one.
 *
 * - `throws`: the share of requests for components that throw, 0 to 1;
 * - `slower`: how many milliseconds longer they take;
 * - `changes`: their first byte is changed;
 * - `unhealthy`: `/healthz` answers 503;
 * - `recordFormat`: the format that `/version` gives;
 * - `loses`: the name of a binding that it does not get;
 * - `admits`: requests with any token count as sent with this one;
 * - `headers`: headers that are set in the answers for components, or removed if `null`;
 * - `after`: the faults start after this many requests for components;
 * - `sparesOverrides`: requests that name the version by its id have no faults.
 */
export function faultyBuild(faults = {}) {
  const folder = temporaryFolder('faulty')
  copyFileSync(inRoot('build', 'index.js'), path.join(folder, 'resolver.js'))
  copyFileSync(inRoot('build', 'index_bg.wasm'), path.join(folder, 'index_bg.wasm'))
  writeFileSync(path.join(folder, 'index.js'), `const FAULTS = ${JSON.stringify(faults)}\n${WRAPPER}`)
  return folder
}

const WRAPPER = `import Resolver from './resolver.js'
export * from './resolver.js'

let served = 0
let due = 0

/** A share without randomness: with 0.3, the 4th, 7th, 10th, 14th … request. */
function isDue(share) {
  due += share
  if (due < 1) return false
  due -= 1
  return true
}

export default class extends Resolver {
  constructor(context, env) {
    super(context, without(env, FAULTS.loses))
  }

  async fetch(request) {
    const { pathname } = new URL(request.url)
    const component = pathname.startsWith('/components/')
    if (component) served += 1
    const spared = FAULTS.sparesOverrides && request.headers.has('Cloudflare-Workers-Version-Overrides')
    const faults = spared || served <= (FAULTS.after ?? 0) ? {} : FAULTS
    if (component && isDue(faults.throws ?? 0)) throw new Error('this version is made to fail')
    if (component && faults.slower) await scheduler.wait(faults.slower)
    if (pathname === '/healthz' && faults.unhealthy) return new Response('made to fail', { status: 503 })
    const answer = await super.fetch(FAULTS.admits ? withToken(request, FAULTS.admits) : request)
    if (pathname === '/version' && faults.recordFormat !== undefined) return withFormat(answer, faults.recordFormat)
    if (component && faults.headers) return withHeaders(answer, faults.headers)
    return component && faults.changes ? changed(answer) : answer
  }
}

function without(env, name) {
  return Object.fromEntries(Object.entries(env).filter(([binding]) => binding !== name))
}

function withToken(request, token) {
  if (!request.headers.has('Authorization')) return request
  const headers = new Headers(request.headers)
  headers.set('Authorization', 'Bearer ' + token)
  return new Request(request, { headers })
}

function withHeaders(answer, headers) {
  const changed = new Response(answer.body, answer)
  for (const [name, value] of Object.entries(headers)) {
    if (value === null) changed.headers.delete(name)
    else changed.headers.set(name, value)
  }
  return changed
}

async function withFormat(answer, recordFormat) {
  return Response.json({ ...(await answer.json()), recordFormat }, answer)
}

async function changed(answer) {
  const bytes = new Uint8Array(await answer.arrayBuffer())
  if (bytes.length > 0) bytes[0] ^= 1
  return new Response(bytes.length > 0 ? bytes : null, answer)
}
`

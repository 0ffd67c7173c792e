// The plain-JavaScript baseline: a straightforward Worker that gives exactly the resolver's answers,
// with one read of the slot's record, the content from a Map, our headers and our log line.
// tests/worker/baselines.test.mjs compares the answers.
const contents = new Map()
const versions = new Map()

/** The last good record of each slot and when it was read, for failures of KV. */
export const lastGood = new Map()

export const timeoutOf = (env) => Number(env.KV_TIMEOUT_MS ?? 2000)

/** Reads a value from KV, with a timeout in milliseconds. */
async function read(env, namespace, key, options, milliseconds) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('late')), milliseconds)
  })
  try {
    return await Promise.race([env[namespace].get(key, options), late])
  } catch (error) {
    throw Object.assign(error, { namespace })
  } finally {
    clearTimeout(timer)
  }
}

const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
const base64 = (digest) => btoa(String.fromCharCode(...digest.match(/../g).map((byte) => Number.parseInt(byte, 16))))

/** MurmurHash3, x86, 32 bits, seed 0. */
function murmur3(bytes) {
  let hash = 0
  const mix = (word) => {
    const product = Math.imul(word, 0xcc9e2d51)
    return Math.imul((product << 15) | (product >>> 17), 0x1b873593)
  }
  const whole = bytes.length & ~3
  for (let at = 0; at < whole; at += 4) {
    hash ^= mix(bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24))
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0
  }
  let tail = 0
  for (let at = bytes.length - 1; at >= whole; at -= 1) tail = (tail << 8) | bytes[at]
  hash ^= mix(tail) ^ bytes.length
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

const encoder = new TextEncoder()
const pointOf = (value) => Number((BigInt(value) * 100000n) >> 32n)

function atPoint(targets, point) {
  let upper = 0
  return targets.find(({ weight }) => {
    upper += weight
    return point < upper
  })
}

function choose(name, record, headers) {
  const { targets, segments = {} } = record
  const wanted = headers.get('Component-Version-Override')?.trim()
  const arms = [...targets, ...Object.values(segments)]
  const overriding = wanted && arms.find((arm) => arm.version === wanted)
  const ignored = Boolean(wanted) && !overriding
  if (overriding) return { arm: overriding, assignment: 'override', ignored }
  const groups = (headers.get('Component-Segment') ?? '').split(',').map((group) => group.trim())
  const group = groups.find((name) => segments[name])
  if (group) return { arm: segments[group], assignment: 'segment', ignored }
  const sole = targets.find((target) => target.weight === 100000)
  if (sole) return { arm: sole, assignment: 'sole', ignored }
  const key = headers.get('Component-Version-Key') || headers.get('Cloudflare-Workers-Version-Key')
  if (key)
    return { arm: atPoint(targets, pointOf(murmur3(encoder.encode(`${name}\0${key}`)))), assignment: 'key', ignored }
  const [drawn] = crypto.getRandomValues(new Uint32Array(1))
  return { arm: atPoint(targets, pointOf(drawn)), assignment: 'random', ignored }
}

const listed = (field, digest) =>
  field !== null &&
  (field.trim() === '*' || field.split(',').some((tag) => tag.trim().replace(/^W\//, '') === `"${digest}"`))

async function contentOf(env, digest, trace) {
  const known = contents.get(digest)
  if (known) {
    trace.source = 'memory'
    return known
  }
  trace.source = 'kv'
  trace.reads += 1
  const options = { type: 'arrayBuffer', cacheTtl: 31536000 }
  const content = await read(env, 'COMPONENTS', `sha256/${digest}`, options, 5 * timeoutOf(env))
  if (hex(await crypto.subtle.digest('SHA-256', content)) !== digest) throw new Error('digest')
  if (env.CONTENT_MEMORY !== '0') contents.set(digest, content)
  return content
}

async function exact(env, name, reference, trace) {
  const key = `${name}@${reference}`
  const known = versions.get(key)
  if (known && Date.now() < known.until) return known.record
  trace.reads += 1
  const record = await read(env, 'COMPONENTS', key, { type: 'json', cacheTtl: 150 }, timeoutOf(env))
  if (record) versions.set(key, { record, until: Date.now() + 150000 })
  return record
}

async function slot(env, key, trace) {
  trace.reads += 1
  try {
    const record = await read(env, 'SLOTS', key, { type: 'json', cacheTtl: 30 }, timeoutOf(env))
    return { record, at: Date.now() }
  } catch (error) {
    const last = lastGood.get(key)
    if (!last) throw error
    return { ...last, stale: Math.floor((Date.now() - last.at) / 1000) }
  }
}

function log(request, trace, status, more) {
  const { script, name, reference, arm = {}, assignment } = trace
  console.log(
    JSON.stringify({
      method: request.method,
      status,
      code: more.code,
      component: name,
      ref: reference,
      slot: arm.slot,
      version: arm.version,
      assignment,
      kvReads: trace.reads,
      source: trace.source,
      stale: more.stale,
      scriptVersion: script.id,
      scriptVersionTag: script.tag,
    }),
  )
}

function unavailable(request, trace, { namespace }) {
  const { script } = trace
  const code = 'STORE_UNAVAILABLE'
  log(request, trace, 503, { code })
  const problem = {
    type: 'urn:component-resolver:store-unavailable',
    title: 'Store unavailable',
    status: 503,
    detail: `The namespace ${namespace} does not answer. Try again.`,
    instance: new URL(request.url).pathname,
    code,
    scriptVersion: script.id,
  }
  return new Response(request.method === 'HEAD' ? null : JSON.stringify(problem), {
    status: 503,
    headers: {
      'Content-Type': 'application/problem+json',
      'Cache-Control': 'no-store',
      'Retry-After': '5',
      'Script-Version': script.id,
      'Script-Version-Tag': script.tag,
      'X-Content-Type-Options': 'nosniff',
      'Content-Security-Policy': "sandbox; default-src 'none'",
    },
  })
}

export default {
  async fetch(request, env) {
    const trace = { reads: 0, source: 'none', script: env.CF_VERSION_METADATA }
    try {
      return await answer(request, env, trace)
    } catch (error) {
      if (!error.namespace) throw error
      return unavailable(request, trace, error)
    }
  },
}

function addSlotHeaders(headers, { arm, assignment, ignored }, { record, stale }) {
  headers['Component-Slot'] = arm.slot
  headers['Component-Assignment'] = assignment
  headers['Cache-Control'] = assignment === 'random' ? 'no-store' : 'no-cache'
  if (ignored) headers['Component-Version-Override'] = 'ignored'
  if (stale !== undefined) headers['Component-Stale'] = String(stale)
  if (record.targets.length > 1 || record.segments) {
    const segment = record.segments ? ', Component-Segment' : ''
    headers.Vary = `Component-Version-Override${segment}, Component-Version-Key, Cloudflare-Workers-Version-Key`
  }
}

async function answer(request, env, trace) {
  const { script } = trace
  const { pathname } = new URL(request.url)
  const key = decodeURIComponent(pathname.slice('/components/'.length))
  const at = key.lastIndexOf('@')
  const [name, reference] = [key.slice(0, at), key.slice(at + 1)]
  Object.assign(trace, { name, reference })
  const pinned = /^v\d/.test(reference)
  let found = { record: undefined, stale: undefined }
  if (pinned) {
    trace.arm = await exact(env, name, reference, trace)
  } else {
    found = await slot(env, key, trace)
    if (!found.record) return new Response('not found', { status: 404 })
    Object.assign(trace, choose(name, found.record, request.headers))
  }
  const { arm } = trace
  const { record, stale } = found
  const headers = {
    ETag: `"${arm.digest}"`,
    'Content-Location': `/components/${name}@${arm.version}`,
    'Component-Version': arm.version,
    'Component-Commit': arm.sha,
    'Script-Version': script.id,
    'Script-Version-Tag': script.tag,
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': "sandbox; default-src 'none'",
  }
  if (pinned) {
    headers['Cache-Control'] = 'public, max-age=31536000, immutable'
  } else {
    addSlotHeaders(headers, trace, found)
  }
  headers['Content-Type'] = arm.type
  let [status, body] = [200, null]
  if (listed(request.headers.get('If-None-Match'), arm.digest)) {
    status = 304
  } else {
    headers['Repr-Digest'] = `sha-256=:${base64(arm.digest)}:`
    if (pinned) headers['Last-Modified'] = new Date(arm.date).toUTCString()
    headers['Accept-Ranges'] = 'none'
    if (request.method === 'HEAD') headers['Content-Length'] = String(arm.size)
    else body = await contentOf(env, arm.digest, trace)
  }
  if (record && stale === undefined) lastGood.set(key, found)
  headers['Server-Timing'] = `kv;desc="reads=${trace.reads}", content;desc="${trace.source}"`
  log(request, trace, status, { stale })
  return new Response(body, { status, headers })
}

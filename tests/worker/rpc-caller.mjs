// A Worker that makes the calls of a test and describes their results. It runs in workerd, so that it
// compares what a Worker gets.

const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('')

/** Bytes in hex; long ones as their number and SHA-256. */
async function shown(bytes) {
  if (bytes.byteLength < 100_000) return hex(bytes)
  return `${bytes.byteLength} ${hex(await crypto.subtle.digest('SHA-256', bytes))}`
}

/** Values of the runtime as JSON that keeps their types. */
async function spell(value) {
  if (value === undefined) return { undefined: true }
  if (value instanceof ArrayBuffer) return { arrayBuffer: await shown(value) }
  if (value instanceof ReadableStream) return { stream: await shown(await new Response(value).arrayBuffer()) }
  if (value instanceof Map) {
    const pairs = [...value].sort(([a], [b]) => (a < b ? -1 : 1))
    return { map: await Promise.all(pairs.map(async ([key, one]) => [key, await spell(one)])) }
  }
  if (typeof value === 'string' && value.length > 100_000) return { text: await shown(new TextEncoder().encode(value)) }
  if (Array.isArray(value)) return { array: await Promise.all(value.map(spell)) }
  if (value === null || typeof value !== 'object') return { plain: value }
  const members = Object.keys(value).sort()
  return { object: await Promise.all(members.map(async (name) => [name, await spell(value[name])])) }
}

async function call(target, { method, args = [] }) {
  try {
    return { value: await spell(await target[method](...args)) }
  } catch (error) {
    return { error: `${error.name}: ${error.message}`, code: error.code, status: error.status }
  }
}

export default {
  async fetch(request, env) {
    const { binding, caller, calls } = await request.json()
    const target = caller === undefined ? env[binding] : env[binding].forCaller(caller)
    return Response.json(await Promise.all(calls.map((one) => call(target, one))))
  },
}

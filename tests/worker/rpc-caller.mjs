// A Worker that calls what a test tells it to and spells out what came of it. It
// runs in workerd, so that what it compares is what a Worker gets.

const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('')

/** Values of the runtime, kinds told apart, as JSON. */
async function spell(value) {
  if (value === undefined) return { undefined: true }
  if (value instanceof ArrayBuffer) return { arrayBuffer: hex(value) }
  if (value instanceof ReadableStream) return { stream: hex(await new Response(value).arrayBuffer()) }
  if (value instanceof Map) {
    const pairs = [...value].sort(([a], [b]) => (a < b ? -1 : 1))
    return { map: await Promise.all(pairs.map(async ([key, one]) => [key, await spell(one)])) }
  }
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

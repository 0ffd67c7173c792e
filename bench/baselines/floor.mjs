// The floor of a request: a Worker that decides nothing, and sends an answer that it was given. STEP
// names how much of a request it carries out; each step contains the ones before it.
const STEPS = ['empty', 'body', 'headers', 'log', 'read', 'timeout']

/** Waits for a read of KV for at most `milliseconds`, with as few objects as possible. */
const within = (promise, milliseconds) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('late')), milliseconds)
    const settled = (value) => {
      clearTimeout(timer)
      resolve(value)
    }
    promise.then(settled, reject)
  })

let floor

function prepare({ STEP, ANSWER }) {
  const step = STEPS.indexOf(STEP)
  const { headers, body, line } = ANSWER
  return { step, line, body: new TextEncoder().encode(body), init: step >= 2 ? { headers: new Headers(headers) } : {} }
}

export default {
  async fetch(_request, env) {
    floor ??= prepare(env)
    const { step, line, body, init } = floor
    if (step >= 4) {
      const read = env.SLOTS.get('prompts/extraction@production', { type: 'text', cacheTtl: 30 })
      await (step >= 5 ? within(read, 2000) : read)
    }
    if (step >= 3) console.log(line)
    return new Response(step >= 1 ? body : null, init)
  },
}

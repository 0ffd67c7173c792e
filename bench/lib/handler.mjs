// Measures the handler alone: it is called in a loop in one isolate with a stubbed KV, without
// network and server. All calls use one request object.
import { builtModules } from '../../tests/worker/harness/config.mjs'
import { startWorker } from '../../tests/worker/harness/workerd.mjs'
import { cpuTime, median } from './cpu.mjs'
import { pairs } from './data.mjs'
import { VARIANTS } from './variants.mjs'

const CALL = {
  // Like the runtime, which constructs the entrypoint for each request.
  class: 'answer = await new Handler(context, env).fetch(asked)',
  object: 'answer = await Handler.fetch(asked, env, context)',
}

const loop = (entry, call) => `
import Handler from './${entry}'
const values = new Map(${JSON.stringify(pairs())})
const text = (key) => values.get(key) ?? null
const read = {
  text,
  json: (key) => JSON.parse(text(key)),
  arrayBuffer: (key) => new TextEncoder().encode(text(key)).buffer,
}
const get = async (key, { type } = {}) => read[type ?? 'text'](key)
const env = { SLOTS: { get }, COMPONENTS: { get }, CF_VERSION_METADATA: { id: 'script', tag: 'v0.1.0', timestamp: '' } }
const context = {}
export default {
  async fetch(request) {
    const asked = new Request('https://resolver.example/components/prompts/extraction@production')
    let answer
    for (let left = Number(new URL(request.url).searchParams.get('calls')); left > 0; left -= 1) ${call}
    return new Response(null, { status: answer.status })
  },
}`

const LOOPED = {
  ours: CALL.class,
  pointer: CALL.object,
  optimised: CALL.object,
  loader: CALL.object,
  hello: CALL.object,
}

/** The CPU time of one call of each handler in µs, and its ratio to the baseline. */
export async function measureHandler({ rounds, count }) {
  const workers = {}
  for (const [name, call] of Object.entries(LOOPED)) {
    const modules = VARIANTS[name].modules()
    const entry = name === 'ours' ? builtModules().find((module) => module.name === 'index.js') : modules[0]
    workers[name] = await startWorker({ modules: [{ name: 'loop.mjs', source: loop(entry.name, call) }, ...modules] })
  }
  const calls = async (name, number) => {
    const { status } = await workers[name].fetch(`/?calls=${number}`)
    if (status !== 200) throw new Error(`${name} answered ${status} in the loop`)
  }
  try {
    for (const name of Object.keys(workers)) await calls(name, count)
    const results = []
    for (let at = 0; at < rounds; at += 1) {
      const result = {}
      for (const [name, { pid }] of Object.entries(workers)) {
        const before = cpuTime(pid)
        await calls(name, count)
        result[name] = (cpuTime(pid) - before) / count
      }
      results.push(result)
    }
    return Object.keys(workers).map((name) => ({
      name,
      cpu: median(results.map((result) => result[name])),
      ratio: median(results.map((result) => result[name] / result.pointer)),
    }))
  } finally {
    await Promise.all(Object.values(workers).map((worker) => worker.stop()))
  }
}

// The cost of a request in counts that are the same on every machine: KV reads, calls from the Wasm to
// JavaScript, uploaded bytes. A change that increases one of them must change the limit here.
// `npm run bench` measures times.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'

import { fill } from '../../bench/lib/data.mjs'
import { compressedSizes } from '../../bench/lib/size.mjs'
import { requests } from '../../bench/lib/workloads.mjs'
import { inRoot } from '../../scripts/lib/paths.mjs'
import { CALLER } from './harness/caller.mjs'
import { builtModules } from './harness/config.mjs'
import { startWorker } from './harness/workerd.mjs'

const COUNTED = '/calls'

// The built Worker, which also counts the calls of its Wasm to JavaScript.
const WATCHED = [
  {
    name: 'watched.mjs',
    source: `import './watch.mjs'
import Resolver from './index.js'
export default class extends Resolver {
  fetch(request) {
    return request.url.endsWith('${COUNTED}') ? Response.json(globalThis.calls) : super.fetch(request)
  }
}`,
  },
  {
    name: 'watch.mjs',
    source: `globalThis.calls = 0
const counted = (value) => typeof value !== 'function' ? value : (...args) => {
  globalThis.calls += 1
  return value(...args)
}
WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
  construct(Instance, [module, imports]) {
    const watched = Object.entries(imports).map(([from, members]) =>
      [from, Object.fromEntries(Object.entries(members).map(([name, value]) => [name, counted(value)]))])
    return new Instance(module, Object.fromEntries(watched))
  },
})`,
  },
]

/** The highest cost of a repeated request: `[KV reads, calls to JavaScript]`. */
const BUDGET = {
  slot: [1, 6],
  revalidated: [1, 7],
  head: [1, 6],
  split: [1, 8],
  exact: [0, 4],
  missing: [2, 19],
  rpc: [1, 6],
  'rpc-exact': [0, 5],
}

/** The size of Wasm and JavaScript in kilobytes of gzip. */
const SIZE = 250

describe('the cost of a request does not grow', () => {
  const workers = {}
  let asked
  before(async () => {
    const modules = [...WATCHED, ...builtModules()]
    workers.http = await startWorker({ modules })
    workers.forgetful = await startWorker({ modules, vars: { CONTENT_MEMORY: '0' } })
    workers.rpc = await startWorker({ modules, caller: { modules: [CALLER], services: ['RESOLVER'] } })
    for (const { kv } of Object.values(workers)) asked = requests(fill(kv))
    asked.missing = asked.slot
    asked.rpc = { path: '/?get=prompts/extraction@production', status: 200 }
    asked['rpc-exact'] = { path: '/?get=prompts/extraction@v1.0.0', status: 200 }
  })
  after(() => Promise.all(Object.values(workers).map((worker) => worker.stop())))

  const served = (name) => {
    if (name.startsWith('rpc')) return workers.rpc
    return name === 'missing' ? workers.forgetful : workers.http
  }

  for (const [name, [reads, crossings]] of Object.entries(BUDGET)) {
    test(name, async () => {
      const worker = served(name)
      const calls = async () => (await worker.fetch(COUNTED)).json()
      const { headers = {}, ...request } = asked[name]
      const ask = () => worker.rawRequest({ ...request, headers: typeof headers === 'function' ? headers(1) : headers })
      for (let warm = 0; warm < 3; warm += 1) assert.equal((await ask()).status, request.status)
      worker.kv.forget()
      const before = await calls()
      await ask()
      const made = (await calls()) - before
      assert.equal(worker.kv.count(), reads)
      assert.ok(made > 0 && made <= crossings, `${made} calls from the Wasm to JavaScript`)
    })
  }

  test("no Wasm memory waits for JavaScript's garbage collector", () => {
    // The build has no finalizers: a closure or class passed to JavaScript would never be freed.
    const bundle = readFileSync(inRoot('build', 'index.js'), 'utf8')
    assert.ok(bundle.includes('__wbindgen_start'))
    assert.doesNotMatch(bundle, /__wbindgen_destroy_closure|_wbg_cb_unref|_free\b(?<!__wbindgen_free)/)
  })

  test('the size of the upload', () => {
    const size = Object.values(compressedSizes()).reduce((sum, one) => sum + one, 0)
    assert.ok(size > 50_000 && size <= SIZE * 1000, `${size} bytes`)
  })
})

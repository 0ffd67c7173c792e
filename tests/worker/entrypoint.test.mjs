// One instance of the entrypoint serves all requests of an isolate: the runtime constructs the class
// for each request, and always gets the same instance.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { fill } from '../../bench/lib/data.mjs'
import { CALLER } from './harness/caller.mjs'
import { builtModules } from './harness/config.mjs'
import { startWorker } from './harness/workerd.mjs'

const SLOT = 'prompts/extraction@production'

const ENTRY = {
  name: 'entry.mjs',
  source: `import Resolver from './index.js'
const { fetch, get } = Resolver.prototype
const instances = new Set()
let calls = 0
const noted = (method) => function (...args) {
  instances.add(this)
  calls += 1
  return method.apply(this, args)
}
Resolver.prototype.get = noted(get)
Resolver.prototype.fetch = noted(async function (request) {
  const { pathname } = new URL(request.url)
  if (pathname === '/instances') return Response.json({ calls, instances: instances.size })
  if (pathname === '/throw') throw new Error('as the test asks for')
  return fetch.call(this, request)
})
export default Resolver`,
}

// Like wrangler's middleware: a subclass with a field of its own.
const EXTENDED = {
  name: 'extended.mjs',
  source: `import Resolver from './index.js'
export default class extends Resolver {
  #made = 1
  fetch(request) {
    return new URL(request.url).pathname === '/made' ? new Response(this.#made) : super.fetch(request)
  }
}`,
}

const workers = {}
before(async () => {
  const modules = [ENTRY, ...builtModules()]
  workers.http = await startWorker({ modules })
  workers.binding = await startWorker({ modules, caller: { modules: [CALLER], services: ['RESOLVER'] } })
  for (const { kv } of Object.values(workers)) fill(kv)
})
after(() => Promise.all(Object.values(workers).map((worker) => worker.stop())))

/** The expected answer to a path: status, type and length of the body. */
async function ask(worker, path, options) {
  const { status, headers, body } = await worker.fetch(path, options)
  return [status, headers.etag, body.length]
}

for (const name of ['http', 'binding']) {
  test(`${name}: concurrent requests, and one after an exception, share only the instance`, async () => {
    const worker = workers[name]
    const paths = [
      `/components/${SLOT}`,
      '/components/prompts/large@production',
      '/components/none/of@these',
      '/healthz',
    ]
    if (name === 'binding') paths.push(`/?get=${SLOT}`)
    const asked = [...paths, ...paths, ...paths]
    const alone = []
    for (const path of asked) alone.push(await ask(worker, path))
    const together = Promise.all(asked.map((path) => ask(worker, path)))
    assert.equal((await worker.fetch('/throw')).status, 500)
    assert.deepEqual(await together, alone)
    assert.deepEqual(
      alone.slice(0, 3).map(([status]) => status),
      [200, 200, 404],
    )
    const { calls, instances } = (await worker.fetch('/instances')).json()
    assert.equal(instances, 1)
    assert.ok(calls > 2 * asked.length, `${calls} calls`)
  })
}

test('a subclass is constructed for each request', async () => {
  const worker = await startWorker({ modules: [EXTENDED, ...builtModules()] })
  try {
    for (const path of ['/made', '/made', '/healthz', '/made']) {
      assert.equal((await worker.fetch(path)).status, 200, path)
    }
  } finally {
    await worker.stop()
  }
})

test("the rehearsal at the isolate's start has no visible effect", async () => {
  const worker = await startWorker()
  try {
    const path = '/components/rehearsal/rehearsal@production'
    assert.equal((await worker.fetch(path)).status, 404)
    worker.kv.fail({ status: 500 })
    const { status, headers } = await worker.fetch(path)
    assert.deepEqual([status, headers['component-stale']], [503, undefined])
    const lines = worker.output
      .trim()
      .split('\n')
      .filter((line) => line.startsWith('{'))
    assert.deepEqual(
      lines.map((line) => JSON.parse(line).status),
      [404, 503],
    )
    // A 404 reads the index for the nearest name.
    const known = (key) => key === 'index' || key.startsWith('rehearsal/rehearsal')
    assert.ok(worker.kv.reads.every(({ keys }) => known(keys[0])))
  } finally {
    await worker.stop()
  }
})

// After a trap, the next call gets a new instance of the Wasm, which knows no URL. A request that waited
// for KV meanwhile still gets its own response.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'

import { fill } from '../../bench/lib/data.mjs'
import { builtModules } from './harness/config.mjs'
import { startWorker } from './harness/workerd.mjs'

const ENTRY = {
  name: 'entry.mjs',
  source: `import Resolver from './index.js'
const now = Date.now
let trapping = false
let held = ''
Date.now = () => {
  // An error in a call of the Wasm ends its instance, as an unreachable instruction does.
  if (trapping) throw new Error('as the test asks for')
  return now()
}
const gate = (namespace) => ({
  async get(key, options) {
    const value = await namespace.get(key, options)
    while (key === held) await scheduler.wait(10)
    return value
  },
})
export default class extends Resolver {
  constructor(context, env) {
    super(context, { ...env, SLOTS: gate(env.SLOTS) })
  }
  async fetch(request) {
    const { pathname, searchParams } = new URL(request.url)
    if (pathname === '/hold') held = searchParams.get('key')
    if (pathname === '/hold') return new Response()
    trapping = pathname === '/trap'
    if (!trapping) return super.fetch(request)
    const wanted = new Request(new URL(searchParams.get('path'), request.url))
    return super.fetch(wanted).finally(() => { trapping = false })
  }
}`,
}

const [FIRST, SECOND] = ['prompts/extraction', 'prompts/twin'].map((name) => ({
  key: `${name}@production`,
  path: `/components/${name}@production`,
  location: `/components/${name}@v1.0.0`,
}))

let worker
before(async () => {
  worker = await startWorker({ modules: [ENTRY, ...builtModules()], vars: { KV_TIMEOUT_MS: '10000' } })
  const fields = { format: 1, slot: 'production' }
  const digest = fill(worker.kv)
  const snapshot = { digest, size: 4096, type: 'text/markdown', sha: 'a'.repeat(40), date: '2026-11-20T10:00:00Z' }
  const targets = [{ slot: 'production', version: 'v1.0.0', ...snapshot, weight: 100_000 }]
  // The lane compares records, so the slots have the same one.
  for (const { key } of [FIRST, SECOND])
    worker.kv.put('SLOTS', key, Buffer.from(JSON.stringify({ ...fields, targets })))
})
after(() => worker?.stop())

async function check({ path, location }) {
  const { status, headers, text } = await worker.fetch(path)
  assert.equal(status, 200, text())
  assert.equal(headers['content-location'], location)
}

/** Asks often enough for the lane to know the slot. */
async function learn(slot) {
  for (let at = 0; at < 4; at += 1) await check(slot)
}

test('a request that waited during a trap gets its own response', async () => {
  await learn(FIRST)
  await learn(SECOND)
  await worker.fetch(`/hold?key=${FIRST.key}`)
  worker.kv.forget()
  const waiting = check(FIRST)
  while (worker.kv.count() === 0) await setTimeout(5)
  assert.equal((await worker.fetch(`/trap?path=${SECOND.path}`)).status, 500)
  // The new instance learns the other slot first.
  await learn(SECOND)
  await worker.fetch('/hold?key=')
  await waiting
  await learn(FIRST)
})

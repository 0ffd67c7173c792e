// A content that this location of Workers KV sees later than the record that names it.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'

import { bytes, put, serveVectors } from './vectors.mjs'

const SLOT = '/components/templates/logo@production'
const OTHER = '/components/prompts/extraction@production'

describe('a content that is not visible yet', () => {
  let worker
  let script
  let key
  before(async () => {
    ;({ worker, script } = await serveVectors('answers.json', { vars: { KV_TIMEOUT_MS: '2000', CONTENT_MEMORY: '0' } }))
    const [target] = script.kv.SLOTS['templates/logo@production'].targets
    key = `sha256/${target.digest}`
  })
  after(() => worker.stop())

  const contents = () => worker.kv.reads.filter(({ keys }) => keys[0] === key)
  const show = () => put(worker.kv, { COMPONENTS: { [key]: script.kv.COMPONENTS[key] } })
  const hide = () => worker.kv.delete('COMPONENTS', key)

  async function untilRead(times) {
    while (contents().length < times) await setTimeout(5)
  }

  test('is refused after the last pause, with Retry-After', async () => {
    hide()
    worker.kv.forget()
    const answer = await worker.fetch(SLOT)
    show()
    assert.equal(answer.status, 503)
    assert.equal(answer.headers['retry-after'], '5')
    assert.equal(answer.json().code, 'CONTENT_MISSING')
    assert.equal(contents().length, 4)
  })

  test('costs all references of /resolve together one patience', async () => {
    hide()
    worker.kv.forget()
    const refs = Array(20).fill('templates/logo@production')
    const began = performance.now()
    const answer = await worker.rawRequest({
      method: 'POST',
      path: '/resolve',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ refs, content: true }),
    })
    const seconds = (performance.now() - began) / 1000
    show()
    const { resolved } = answer.json()
    assert.deepEqual(new Set(resolved.map(({ error }) => error.code)), new Set(['CONTENT_MISSING']))
    // Two seconds are left for pauses: 250 and 1000 ms for the first content, 250 ms for each of the next three.
    assert.equal(contents().length, 20 * 2 + 5)
    // The pauses of one content after another would take 25 seconds.
    assert.ok(seconds < 10, `${seconds} s`)
  })

  test('is read again after a pause, while other requests are answered', async () => {
    hide()
    worker.kv.forget()
    let answered = false
    const waiting = worker.fetch(SLOT).finally(() => {
      answered = true
    })
    await untilRead(2)
    assert.equal((await worker.fetch(OTHER)).status, 200)
    assert.ok(!answered)
    show()
    const answer = await waiting
    assert.equal(answer.status, 200)
    assert.deepEqual(answer.body, bytes(script.kv.COMPONENTS[key]))
    const times = contents().map(({ cacheTtl }) => cacheTtl)
    assert.deepEqual(times.slice(0, 3), [31536000, 30, 30])
  })
})

test('a last good version is served without a pause', async () => {
  const { worker, script } = await serveVectors('answers.json', { vars: { KV_TIMEOUT_MS: '2000' } })
  try {
    const before = (await worker.fetch(OTHER)).text()
    const record = structuredClone(script.kv.SLOTS['prompts/extraction@production'])
    record.targets[0].digest = '0'.repeat(64)
    put(worker.kv, { SLOTS: { 'prompts/extraction@production': record } })
    worker.kv.forget()
    const answer = await worker.fetch(OTHER)
    assert.equal(answer.status, 200)
    assert.equal(answer.text(), before)
    assert.ok('component-stale' in answer.headers)
    assert.equal(worker.kv.reads.filter(({ namespace }) => namespace === 'COMPONENTS').length, 2)
  } finally {
    await worker.stop()
  }
})

// `/resolve` with contents: each is in the JSON as it is, and none is ever in Wasm memory.
import assert from 'node:assert/strict'
import http from 'node:http'
import { after, before, describe, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'

import { builtModules } from './harness/config.mjs'
import { MEMORY_PATH, withMemory } from './harness/memory.mjs'
import { startWorker } from './harness/workerd.mjs'
import { bytesOf, putSlot } from './stored.mjs'

const MIB = 1 << 20

/** A text of `size` bytes in which characters of 1 to 4 bytes lie across every boundary of a chunk. */
const wide = (size) => Buffer.from('aé€🌱'.repeat(Math.ceil(size / 10))).subarray(0, size - (size % 10))

const CONTENTS = {
  empty: Buffer.alloc(0),
  text: Buffer.from('a "quoted" \\ line\r\n\u0000\u001f\u007f \u2028 </script> 🌱'),
  bom: Buffer.from('\ufeffa\ufeff'),
  one: wide(48 * 1024 + 1),
  shifted: Buffer.concat([Buffer.from('x'), wide(200 * 1024)]),
  long: wide(3 * MIB),
  escapes: Buffer.alloc(MIB, 1),
  binary: bytesOf(100 * 1024 + 1),
  large: bytesOf(2 * MIB),
  cut: wide(200 * 1024).subarray(0, -1),
  surrogate: Buffer.from([0x61, 0xed, 0xa0, 0x80, 0x62]),
}

/** The content of an entry of the answer. */
const contentOf = ({ content, contentBase64 }) =>
  content === undefined ? Buffer.from(contentBase64, 'base64') : Buffer.from(content)

function isUtf8(bytes) {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return true
  } catch {
    return false
  }
}

describe('contents of /resolve', () => {
  let worker
  before(async () => {
    worker = await startWorker({ modules: withMemory(builtModules()) })
    for (const [slot, bytes] of Object.entries(CONTENTS)) putSlot(worker.kv, slot, bytes)
  })
  after(() => worker?.stop())

  const resolve = (slots) =>
    worker.rawRequest({
      method: 'POST',
      path: '/resolve',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ refs: slots.map((slot) => `prompts/large@${slot}`), content: true }),
    })

  for (const [slot, bytes] of Object.entries(CONTENTS)) {
    test(`${slot}: ${bytes.length} bytes`, async () => {
      for (const turn of [1, 2]) {
        const answer = await resolve([slot])
        const [entry] = answer.json().resolved
        assert.ok(contentOf(entry).equals(bytes), `turn ${turn}`)
        assert.equal('content' in entry, isUtf8(bytes))
        assert.equal('contentBase64' in entry, !isUtf8(bytes))
        assert.equal(entry.size, bytes.length)
      }
    })
  }

  test('all at once, with references that cannot be resolved between them', async () => {
    const slots = Object.keys(CONTENTS).flatMap((slot) => [slot, `no-${slot}`])
    const { resolved, scriptVersion } = (await resolve(slots)).json()
    assert.equal(scriptVersion.tag, 'test')
    assert.deepEqual(
      resolved.map(({ ref }) => ref),
      slots.map((slot) => `prompts/large@${slot}`),
    )
    for (const [at, slot] of slots.entries()) {
      const { error, ...entry } = resolved[at]
      if (slot.startsWith('no-')) assert.equal(error.code, 'COMPONENT_UNKNOWN')
      else assert.ok(contentOf(entry).equals(CONTENTS[slot]), slot)
    }
  })

  test('8 MiB of contents are not in Wasm memory', async () => {
    const memory = async () => Number((await worker.fetch(MEMORY_PATH)).text())
    const halves = [0, 1].map((at) => Buffer.alloc(4 * MIB, `${at}`))
    for (const [at, bytes] of halves.entries()) putSlot(worker.kv, `half-${at}`, bytes)
    const before = await memory()
    for (let turn = 0; turn < 3; turn += 1) {
      const { resolved } = (await resolve(['half-0', 'half-1'])).json()
      for (const [at, entry] of resolved.entries()) assert.ok(contentOf(entry).equals(halves[at]))
    }
    const grown = (await memory()) - before
    assert.ok(grown <= MIB, `${grown} bytes`)
  })

  test('contents of more than 8 MiB together are refused one by one', async () => {
    const { resolved } = (await resolve(['half-0', 'half-1', 'text', 'empty'])).json()
    assert.deepEqual(
      resolved.map(({ error }) => error?.code),
      [undefined, undefined, 'CONTENT_TOO_LARGE', undefined],
    )
  })

  test('wrong bytes are an error in place of the content', async () => {
    const key = putSlot(worker.kv, 'wrong', bytesOf(3 * MIB))
    worker.kv.put('COMPONENTS', key, Buffer.from('x'))
    const { resolved } = (await resolve(['wrong', 'text'])).json()
    assert.equal(resolved[0].error.code, 'DIGEST_MISMATCH')
    assert.ok(contentOf(resolved[1]).equals(CONTENTS.text))
  })

  test('clients that do not read hold 32 MiB of large contents, not more', async () => {
    const body = JSON.stringify({ refs: ['prompts/large@half-0', 'prompts/large@half-1'], content: true })
    const headers = { 'content-type': 'application/json' }
    /** Sends a request whose client stops reading at the headers of the response. */
    const begin = () =>
      new Promise((resolve, reject) => {
        const sent = http.request(new URL('/resolve', worker.url), { method: 'POST', headers, agent: false }, resolve)
        sent.on('error', reject)
        sent.end(body)
      })
    const codes = async () => (await resolve(['half-0', 'text'])).json().resolved.map(({ error }) => error?.code)
    const responses = []
    for (let at = 0; at < 4; at += 1) responses.push(await begin())
    assert.deepEqual(await codes(), ['ISOLATE_OVERLOADED', undefined])
    for (const response of responses) response.on('error', () => {}).socket.resetAndDestroy()
    for (let tries = 0; (await codes())[0] !== undefined; tries += 1) {
      assert.ok(tries < 100, 'the contents of clients that went away still count')
      await setTimeout(20)
    }
    for (let turn = 0; turn < 6; turn += 1) assert.deepEqual(await codes(), [undefined, undefined])
  })
})

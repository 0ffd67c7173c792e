// The conformance vectors in tests/vectors/http/, on the built Wasm in workerd.
// tests/contract.rs runs the same files natively.
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { ask, put, readVectors, serveVectors } from './vectors.mjs'

const folder = new URL('../vectors/http/', import.meta.url)

// The headers that workerd adds. It sets the length of a body, except for HEAD.
const PLATFORM = ['connection', 'date', 'keep-alive', 'transfer-encoding']

/** `<namespace> <key> <cacheTtl>`; the keys of a bulk read in brackets. */
function spell({ namespace, op, keys, cacheTtl }) {
  return `${namespace} ${op === 'bulk' ? `[${keys.join(' ')}]` : keys[0]} ${cacheTtl}`
}

function checkBody(answer, expected) {
  if (expected.json) return assert.deepEqual(answer.json(), expected.json)
  const wanted = Buffer.from(expected.bodyBase64 ?? expected.body ?? '', expected.bodyBase64 ? 'base64' : 'utf8')
  assert.deepEqual(answer.body, wanted)
}

function check(answer, { request, answer: expected }, always) {
  assert.equal(answer.status, expected.status, answer.text())
  const said = { ...answer.headers }
  for (const name of PLATFORM) delete said[name]
  if (request.method !== 'HEAD') delete said['content-length']
  assert.deepEqual(said, { ...always, ...expected.headers })
  checkBody(answer, expected)
}

for (const file of readdirSync(folder)) {
  const script = readVectors(file)
  describe(`${file}: ${script.about}`, () => {
    let worker
    before(async () => {
      ;({ worker } = await serveVectors(file))
    })
    after(() => worker?.stop())
    for (const one of script.cases) {
      test(one.name, async () => {
        const { kv } = worker
        put(kv, one.put)
        kv.forget()
        for (const namespace of one.failing ?? []) kv.fail({ status: 500 }, { namespace })
        const answer = await ask(worker, one.request)
        kv.heal()
        check(answer, one, script.always)
        if (one.reads) assert.deepEqual(kv.reads.map(spell), one.reads)
      })
    }
  })
}

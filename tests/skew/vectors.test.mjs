import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'

import { buildPrevious, missingHistory, PREVIOUS } from '../../scripts/lib/previous.mjs'
import { splitSlot } from '../worker/assignment.mjs'
import { builtModules } from '../worker/harness/config.mjs'
import { startKvServer } from '../worker/harness/kv-server.mjs'
import { startWorker } from '../worker/harness/workerd.mjs'
import { ask, put, readVectors, serveVectors } from '../worker/vectors.mjs'
import { compared, differences, needed } from './support/differences.mjs'
import { kept, PLATFORM } from './support/golden.mjs'

const VECTORS = new URL('../vectors/', import.meta.url)
const golden = JSON.parse(readFileSync(new URL('assignment.json', VECTORS), 'utf8')).cases
const files = readdirSync(new URL('http/', VECTORS))

describe(`${PREVIOUS.tag} and this Worker, side by side`, { skip: missingHistory() }, () => {
  let modules
  before(async () => {
    modules = builtModules(await buildPrevious())
  })

  for (const file of files) {
    describe(file, () => {
      const { cases } = readVectors(file)
      let old
      let now
      before(async () => {
        ;({ worker: now } = await serveVectors(file))
        ;({ worker: old } = await serveVectors(file, { kv: now.kv, modules }))
      })
      after(() => Promise.all([old?.stop(), now?.stop()]))

      for (const one of cases) {
        test(one.name, async () => {
          put(now.kv, one.put)
          for (const namespace of one.failing ?? []) now.kv.fail({ status: 500 }, { namespace })
          const answers = [await ask(old, one.request), await ask(now, one.request)]
          now.kv.heal()
          const [before, after] = answers.map((answer) => kept(answer, PLATFORM))
          assert.deepEqual(...compared(one.request, before, after))
        })
      }
    })
  }

  test('both assign every golden key alike', async () => {
    const kv = await startKvServer({ SLOTS: new Map(), COMPONENTS: new Map() })
    for (const component of new Set(golden.map(({ component }) => component))) splitSlot(kv, component, 'half', 50_000)
    const workers = await Promise.all([startWorker({ kv, modules }), startWorker({ kv })])
    try {
      for (const { component, key, point } of golden.filter(({ key }) => key.trim() !== '')) {
        const path = `/components/${component}@half?explain&key=${encodeURIComponent(key)}`
        const [old, now] = await Promise.all(workers.map(async (worker) => (await worker.fetch(path)).json()))
        assert.deepEqual(old, now, path)
        assert.deepEqual([old.assignment, old.point, old.version], ['key', point, point < 50_000 ? 'v2.0.0' : 'v1.0.0'])
      }
    } finally {
      await Promise.all(workers.map((worker) => worker.stop()))
      await kv.stop()
    }
  })

  test('every allowed difference is needed', () => {
    assert.deepEqual(
      differences.filter((entry) => !needed.has(entry)),
      [],
    )
    for (const { reason, since } of differences) assert.ok(reason && /^\d+\.\d+\.\d+$/.test(since))
  })
})

test('only allowed differences are ignored', () => {
  const answer = (headers, body) => ({ status: 200, headers: { 'content-type': 'application/json', ...headers }, body })
  const [old, now] = [answer({ etag: 'a' }, '{"a":1}'), answer({ etag: 'b', new: 'x' }, '{"a":1,"b":2}')]
  const differs = (entries, path = '/version') => {
    const [before, after] = compared({ path }, old, now, entries)
    return JSON.stringify(before) !== JSON.stringify(after)
  }
  const [header, member] = [
    { path: '^/version$', header: 'new' },
    { path: '^/version$', member: 'b' },
  ]
  assert.ok(differs([]) && differs([header]) && differs([member]) && differs([header, member], '/catalog'))
  assert.ok(!differs([header, member]) && !differs([{ path: '^/version' }]))

  const ordered = (body) =>
    compared({ path: '/' }, answer({ etag: 'a' }, '{"a":1,"b":{"c":2,"d":3}}'), answer({ etag: 'b' }, body), [
      { path: '', order: true },
    ])
  assert.deepEqual(...ordered('{"b":{"d":3,"c":2},"a":1}'))
  for (const body of ['{"b":{"d":3,"c":1},"a":1}', '{"a":1}']) assert.notDeepEqual(...ordered(body))
})

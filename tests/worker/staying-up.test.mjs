// The built Worker while Workers KV fails in every mode of the harness.
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'

import { put, serveVectors } from './vectors.mjs'

const SLOT = '/components/prompts/extraction@production'
const STAGING = '/components/prompts/extraction@staging'
const EXACT = '/components/prompts/extraction@v1.1.0'
const RANGE = '/components/prompts/extraction@^1'
const CATALOG = '/catalog/prompts/extraction'
const OLD = 'Extract the fields.\n'
const UNREACHABLE = [{ status: 500 }, { status: 429 }, 'hang', 'truncated', 'refuse']
const VARS = { KV_TIMEOUT_MS: '400' }

const spell = (mode) => (typeof mode === 'string' ? mode : `status ${mode.status}`)

const resolve = (worker, refs, content = false) =>
  worker.rawRequest({
    method: 'POST',
    path: '/resolve',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ refs, content }),
  })

function refused(answer, status, code, word = '') {
  assert.equal(answer.status, status, answer.text())
  assert.equal(answer.json().code, code)
  assert.ok(answer.json().detail.includes(word), answer.json().detail)
  assert.equal(answer.headers['cache-control'], 'no-store')
  assert.equal(answer.headers['retry-after'], status === 503 ? '5' : undefined)
}

describe('with an empty memory', () => {
  let worker
  before(async () => {
    ;({ worker } = await serveVectors('answers.json', { vars: VARS }))
  })
  after(() => worker.stop())
  afterEach(() => worker.kv.heal())

  const failures = [
    ['SLOTS', SLOT],
    ['COMPONENTS', SLOT],
    ['COMPONENTS', EXACT],
    ['COMPONENTS', RANGE],
    ['COMPONENTS', CATALOG],
  ]
  for (const mode of UNREACHABLE) {
    for (const [namespace, path] of failures) {
      test(`${spell(mode)}: an unreachable ${namespace} gives 503 for ${path}`, async () => {
        worker.kv.fail(mode, { namespace })
        refused(await worker.fetch(path), 503, 'STORE_UNAVAILABLE', namespace)
      })
    }
  }

  for (const [namespace, path, code] of [
    ['SLOTS', SLOT, 'RECORD_UNREADABLE'],
    ['COMPONENTS', SLOT, 'DIGEST_MISMATCH'],
    ['COMPONENTS', EXACT, 'RECORD_UNREADABLE'],
    ['COMPONENTS', CATALOG, 'RECORD_UNREADABLE'],
  ]) {
    test(`invalid data in ${namespace} gives 502 for ${path}`, async () => {
      worker.kv.fail('garbage', { namespace })
      refused(await worker.fetch(path), 502, code)
    })
  }

  test('each reference of /resolve has its own error', async () => {
    for (const mode of [...UNREACHABLE, 'garbage']) {
      worker.kv.fail(mode, { namespace: 'SLOTS' })
      const answer = await resolve(worker, ['prompts/extraction@production', 'prompts/extraction@v1.0.0'])
      worker.kv.heal()
      const [slot, exact] = answer.json().resolved
      assert.equal(slot.error.code, 'STORE_UNAVAILABLE', spell(mode))
      assert.equal(exact.version, 'v1.0.0', spell(mode))
    }
  })

  test('a read that hangs does not delay other requests', async () => {
    worker.kv.fail('hang', { namespace: 'SLOTS', key: 'prompts/extraction@production', times: 1 })
    const ended = []
    const hanging = worker.fetch(SLOT).then(({ status }) => ended.push(status))
    await worker.fetch('/components/templates/logo@production').then(({ status }) => ended.push(status))
    await hanging
    assert.deepEqual(ended, [200, 503])
  })

  test('the health check names the unreachable namespace', async () => {
    for (const mode of UNREACHABLE) {
      worker.kv.fail(mode, { namespace: 'COMPONENTS' })
      const answer = await worker.fetch('/healthz')
      worker.kv.heal()
      assert.equal(answer.status, 503, spell(mode))
      assert.deepEqual(answer.json().namespaces, { SLOTS: 'ok', COMPONENTS: 'unavailable' })
    }
    assert.equal((await worker.fetch('/healthz')).status, 200)
  })

  test('everything is served after the failures', async () => {
    for (const path of [SLOT, STAGING, EXACT, RANGE, CATALOG]) {
      const answer = await worker.fetch(path)
      assert.equal(answer.status, 200, path)
      assert.equal(answer.headers['component-stale'], undefined)
    }
    assert.equal((await worker.fetch(SLOT)).text(), OLD)
  })
})

describe('the last good record and content', () => {
  for (const namespaces of [['SLOTS'], ['COMPONENTS'], ['SLOTS', 'COMPONENTS']]) {
    for (const mode of [...UNREACHABLE, 'garbage']) {
      test(`${spell(mode)} of ${namespaces.join(' and ')}: are served, and marked as stale`, () =>
        stale(namespaces, mode))
    }
  }

  test('an exact version that was served once needs no KV', async () => {
    const { worker } = await serveVectors('answers.json', { vars: VARS })
    await worker.fetch(EXACT)
    for (const mode of UNREACHABLE) worker.kv.fail(mode)
    const answer = await worker.fetch(EXACT)
    assert.deepEqual([answer.status, answer.headers['component-stale']], [200, undefined])
    await worker.stop()
  })

  test('have an age since the last good read', async () => {
    const { worker } = await serveVectors('answers.json', { vars: { KV_TIMEOUT_MS: '1000' } })
    await worker.fetch(SLOT)
    worker.kv.fail('hang', { namespace: 'SLOTS', times: 1 })
    assert.equal((await worker.fetch(SLOT)).headers['component-stale'], '1')
    await worker.fetch(SLOT)
    worker.kv.fail({ status: 500 }, { namespace: 'SLOTS' })
    assert.equal((await worker.fetch(SLOT)).headers['component-stale'], '0')
    await worker.stop()
  })

  test('are also served by /resolve', async () => {
    const { worker } = await serveVectors('answers.json', { vars: VARS })
    await worker.fetch(SLOT)
    worker.kv.fail('refuse')
    const [entry] = (await resolve(worker, ['prompts/extraction@production'], true)).json().resolved
    assert.deepEqual([entry.version, entry.stale, entry.content], ['v1.0.0', 0, OLD])
    await worker.stop()
  })
})

/** Serves a slot and a range, makes KV fail, serves them again, heals KV, moves the slot. */
async function stale(namespaces, mode) {
  const { worker, script } = await serveVectors('answers.json', { vars: VARS })
  for (const path of [SLOT, RANGE]) assert.equal((await worker.fetch(path)).status, 200)
  for (const namespace of namespaces) worker.kv.fail(mode, { namespace })
  const answers = { SLOTS: await worker.fetch(SLOT), COMPONENTS: await worker.fetch(RANGE) }
  for (const [namespace, answer] of Object.entries(answers)) {
    assert.equal(answer.status, 200, answer.text())
    const age = answer.headers['component-stale']
    assert.equal(age !== undefined, namespaces.includes(namespace), `Component-Stale of ${namespace}: ${age}`)
    assert.equal(answer.headers['cache-control'], 'no-cache')
  }
  assert.equal(answers.SLOTS.text(), OLD)
  worker.kv.heal()
  const moved = { ...script.kv.SLOTS['prompts/extraction@staging'], slot: 'production' }
  put(worker.kv, { SLOTS: { 'prompts/extraction@production': moved } })
  const recovered = await worker.fetch(SLOT)
  assert.equal(recovered.headers['component-version'], 'v1.1.0')
  assert.equal(recovered.headers['component-stale'], undefined)
  await worker.stop()
}

describe('the fast lane, with a content that is not in memory', () => {
  const slowly =
    (slow) =>
    async ({ namespace }) => {
      if (namespace === slow) await setTimeout(2 * Number(VARS.KV_TIMEOUT_MS))
    }
  let fixture
  let worker
  before(async () => {
    fixture = await serveVectors('answers.json', { vars: { ...VARS, CONTENT_MEMORY: '0' } })
    ;({ worker } = fixture)
    for (const path of [SLOT, EXACT, SLOT, EXACT]) assert.equal((await worker.fetch(path)).status, 200)
  })
  after(() => worker.stop())
  beforeEach(() => worker.kv.forget())
  afterEach(() => {
    worker.kv.heal()
    worker.kv.beforeRead = undefined
  })

  for (const path of [SLOT, EXACT]) {
    for (const mode of [...UNREACHABLE, 'garbage']) {
      test(`${spell(mode)}, once: ${path} is served`, async () => {
        worker.kv.fail(mode, { namespace: 'COMPONENTS', times: 1 })
        const answer = await worker.fetch(path)
        assert.equal(answer.status, 200, answer.text())
        assert.equal(worker.kv.count('COMPONENTS'), 2)
      })

      test(`${spell(mode)}: ${path} is refused`, async () => {
        worker.kv.fail(mode, { namespace: 'COMPONENTS' })
        const answer = await worker.fetch(path)
        if (mode === 'garbage') refused(answer, 502, 'DIGEST_MISMATCH')
        else refused(answer, 503, 'STORE_UNAVAILABLE', 'COMPONENTS')
      })
    }

    test(`${path} waits longer for a content than for a record`, async () => {
      worker.kv.beforeRead = slowly('COMPONENTS')
      const answer = await worker.fetch(path)
      assert.equal(answer.status, 200, answer.text())
      assert.equal(answer.headers['component-stale'], undefined)
      assert.equal(worker.kv.count('COMPONENTS'), 1)
    })
  }

  test('both reads run in parallel, after the first answer that needed both', async () => {
    await worker.fetch(SLOT)
    const begun = []
    let release
    const both = new Promise((resolve) => {
      release = resolve
    })
    worker.kv.beforeRead = ({ namespace }) => {
      begun.push(namespace)
      if (begun.length === 2) release()
      return both
    }
    assert.equal((await worker.fetch(SLOT)).headers['component-stale'], undefined)
    assert.deepEqual(begun.toSorted(), ['COMPONENTS', 'SLOTS'])
  })

  test('a content that the caller has or does not request is not read', async () => {
    const { etag } = (await worker.fetch(SLOT)).headers
    for (const options of [{ method: 'HEAD' }, { headers: { 'if-none-match': etag } }]) {
      for (let time = 0; time < 2; time += 1) {
        await worker.fetch(SLOT)
        worker.kv.forget()
        await worker.fetch(SLOT, options)
        assert.equal(worker.kv.count('COMPONENTS'), 0)
      }
    }
  })

  test('a slot that has moved meanwhile is served in its new state', async () => {
    const {
      script: {
        kv: { SLOTS },
      },
    } = fixture
    await worker.fetch(SLOT)
    const moved = { ...SLOTS['prompts/extraction@staging'], slot: 'production' }
    put(worker.kv, { SLOTS: { 'prompts/extraction@production': moved } })
    worker.kv.forget()
    const answer = await worker.fetch(SLOT)
    assert.deepEqual([answer.status, answer.headers['component-version']], [200, 'v1.1.0'])
    assert.equal(worker.kv.count('COMPONENTS'), 2)
    put(worker.kv, { SLOTS: { 'prompts/extraction@production': SLOTS['prompts/extraction@production'] } })
    await worker.fetch(SLOT)
  })

  test('a slow record is replaced by the last good one', async () => {
    worker.kv.beforeRead = slowly('SLOTS')
    const answer = await worker.fetch(SLOT)
    assert.equal(answer.status, 200, answer.text())
    assert.notEqual(answer.headers['component-stale'], undefined)
  })
})

describe('absence is not cached', () => {
  let worker
  let script
  before(async () => {
    ;({ worker, script } = await serveVectors('answers.json', { vars: VARS }))
  })
  after(() => worker.stop())

  const production = () => script.kv.SLOTS['prompts/extraction@production']

  /** Checks that each request reads KV and is refused, and that the value is served once it exists. */
  async function appears(path, status, values) {
    const reads = []
    for (const turn of [1, 2]) {
      worker.kv.forget()
      assert.equal((await worker.fetch(path)).status, status, `turn ${turn}`)
      reads.push(worker.kv.count())
    }
    assert.ok(reads[0] > 0)
    assert.equal(reads[1], reads[0])
    put(worker.kv, values)
    assert.equal((await worker.fetch(path)).status, 200)
  }

  test('a slot', () =>
    appears('/components/prompts/extraction@canary', 404, {
      SLOTS: { 'prompts/extraction@canary': { ...production(), slot: 'canary' } },
    }))

  test('a version', () =>
    appears('/components/prompts/extraction@v7.0.0', 404, {
      COMPONENTS: {
        'prompts/extraction@v7.0.0': { ...script.kv.COMPONENTS['prompts/extraction@v1.0.0'], version: 'v7.0.0' },
      },
    }))

  test('a component', () =>
    appears('/components/prompts/young@production', 404, {
      SLOTS: { 'prompts/young@production': production() },
    }))

  test('a content', async () => {
    const [target] = script.kv.SLOTS['templates/logo@production'].targets
    const key = `sha256/${target.digest}`
    worker.kv.delete('COMPONENTS', key)
    await appears('/components/templates/logo@production', 503, { COMPONENTS: { [key]: script.kv.COMPONENTS[key] } })
  })

  test('a slot that is deleted', async () => {
    assert.equal((await worker.fetch(STAGING)).status, 200)
    worker.kv.delete('SLOTS', 'prompts/extraction@staging')
    assert.equal((await worker.fetch(STAGING)).status, 404)
  })
})

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import test, { after, before } from 'node:test'

import { KEY, OVERRIDES } from '../../tools/edge/headers.js'
import { temporaryFolder } from '../cli/support/repo.mjs'
import { rawRequest } from '../worker/harness/request.mjs'
import { BUILD, edgeWith, scriptVersion, WORKER } from './support/edge.mjs'
import { faultyBuild } from './support/faulty.mjs'

let shared
before(async () => (shared = await edgeWith(3)))
after(() => shared?.stop())

const override = (id) => ({ [OVERRIDES]: `${WORKER}="${id}"` })

/** Counts how many of `count` requests each version answers. */
async function tally(get, count, headers = (_at) => ({})) {
  const counts = {}
  for (let at = 0; at < count; at += 1) {
    const id = await get(headers(at))
    counts[id] = (counts[id] ?? 0) + 1
  }
  return counts
}

test('at 0 %, a version answers only requests that name its id', async () => {
  const {
    edge,
    get,
    ids: [old, next, third],
  } = shared
  await edge.deploy([
    [next, 0],
    [old, 100],
  ])
  assert.deepEqual(await tally(get, 100), { [old]: 100 })
  assert.deepEqual(await tally(get, 20, () => override(next)), { [next]: 20 })
  assert.deepEqual(await tally(get, 20, (at) => ({ [KEY]: `key ${at}` })), { [old]: 20 })
  // Uploaded, but not in the deployment.
  assert.deepEqual(await tally(get, 20, () => override(third)), { [old]: 20 })
})

test('an override header may have several lines, and is ignored if it does not parse', async () => {
  const {
    edge,
    ids: [old, next],
    get,
  } = shared
  await edge.deploy([
    [next, 0],
    [old, 100],
  ])
  assert.equal(await get({ [OVERRIDES]: ['another="x"', `${WORKER}="${next}"`] }), next)
  assert.equal(await get({ [OVERRIDES]: ['another="x', `${WORKER}="${next}"`] }), old)
})

test('each version has its own metadata', async () => {
  const { edge, ids } = shared
  await edge.deploy([
    [ids[1], 50],
    [ids[2], 50],
  ])
  for (const [number, id] of [
    [1, ids[1]],
    [2, ids[2]],
  ]) {
    const { headers, json } = await rawRequest(edge.url, { path: '/version', headers: override(id) })
    const { timestamp, ...named } = json().scriptVersion
    assert.deepEqual(named, { id, tag: `version-${number}` })
    assert.equal(timestamp, edge.worker.version(id).shown.metadata.created_on)
    assert.equal(headers['script-version-tag'], `version-${number}`)
  }
})

test('each request gets a random version, and a key always the same one', async () => {
  const {
    edge,
    get,
    ids: [old, next],
  } = shared
  await edge.deploy([
    [next, 20],
    [old, 80],
  ])
  // 8 standard deviations around 200: one run in 10^15 is outside.
  const { [next]: drawn } = await tally(get, 1_000)
  assert.ok(drawn > 100 && drawn < 300, `${drawn} of 1000`)

  const keys = Array.from({ length: 60 }, (_, number) => `caller-${number}`)
  const idsOf = () => Promise.all(keys.map((key) => get({ [KEY]: key })))
  const first = await idsOf()
  assert.deepEqual(await idsOf(), first)
  await edge.deploy([
    [next, 60],
    [old, 40],
  ])
  const grown = await idsOf()
  assert.deepEqual(
    first.filter((id, at) => id === next && grown[at] !== next),
    [],
  )
  assert.ok(grown.filter((id) => id === next).length > first.filter((id) => id === next).length)
})

test('uploads and deployments do not interrupt requests', async () => {
  const {
    edge,
    get,
    ids: [old],
  } = shared
  const slow = (await edge.upload({ build: faultyBuild({ slower: 1_500 }), tag: 'slow' })).id
  await edge.deploy([
    [slow, 0],
    [old, 100],
  ])
  const underWay = rawRequest(edge.url, { path: '/components/prompts/none@production', headers: override(slow) })

  const seen = []
  let stopped = false
  const traffic = Array.from({ length: 4 }, async () => {
    while (!stopped) seen.push(await get())
  })
  let last = old
  for (let round = 0; round < 3; round += 1) {
    const { id } = await edge.upload({ build: BUILD, tag: `round-${round}` })
    await edge.deploy([[id, 100]])
    last = id
  }
  assert.equal(await get(), last)
  stopped = true
  await Promise.all(traffic)
  assert.ok(seen.includes(old) && seen.length > 20, `${seen.length} requests`)
  // Its workerd is no longer in use, but still answers.
  const answer = await underWay
  assert.equal(answer.status, 404)
  assert.equal(answer.headers['script-version'], slow)
})

test('a version that does not start is refused, and the others still answer', async () => {
  const {
    edge,
    get,
    ids: [old],
  } = shared
  await edge.deploy([[old, 100]])
  const broken = temporaryFolder('broken')
  writeFileSync(path.join(broken, 'index.js'), 'export default {')
  const before = edge.worker.deployable().length
  await assert.rejects(edge.upload({ build: broken }), { code: 10021, message: /does not start.*SyntaxError/s })
  assert.equal(edge.worker.deployable().length, before)
  assert.equal(await get(), old)
})

test("an exception in a version gives Cloudflare's error 1101", async () => {
  const { edge } = shared
  const { id } = await edge.upload({ build: faultyBuild({ throws: 0.25 }) })
  await edge.deploy([[id, 100]])
  const statuses = []
  for (let at = 0; at < 40; at += 1) {
    const { status, body } = await rawRequest(edge.url, { path: '/components/prompts/none@production' })
    statuses.push(status)
    if (status === 500) assert.equal(body.toString(), 'error code: 1101')
  }
  assert.equal(statuses.filter((status) => status === 500).length, 10)
  assert.equal(statuses.filter((status) => status === 404).length, 30)
})

test('a deployment reaches all requests after the spread time', async () => {
  const {
    edge,
    get,
    ids: [old, next],
    stop,
  } = await edgeWith(2, { spread: 1_200 })
  try {
    await edge.deploy([[old, 100]])
    assert.equal(await get(), old)
    const asked = Date.now()
    await edge.deploy([
      [next, 0],
      [old, 100],
    ])
    const early = new Set()
    while (Date.now() - asked < 1_200) early.add(await get(override(next)))
    assert.deepEqual(early, new Set([old, next]))
    assert.deepEqual(await tally(get, 50, () => override(next)), { [next]: 50 })
  } finally {
    await stop()
  }
})

test('before the first deployment, requests get 404', async () => {
  const { edge, stop } = await edgeWith(1)
  try {
    assert.equal((await rawRequest(edge.url, { path: '/version' })).status, 404)
    await assert.rejects(scriptVersion(edge.url), /There is nothing here yet/)
  } finally {
    await stop()
  }
})

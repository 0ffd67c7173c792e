import assert from 'node:assert/strict'
import test from 'node:test'

import { DEPLOYABLE, Worker } from '../../tools/edge/worker.mjs'

function workerWith(count) {
  const worker = new Worker('component-resolver-staging', { now: () => new Date('2026-03-04T05:06:07.890Z') })
  const ids = []
  for (let number = 1; number <= count; number += 1) {
    const annotations = { 'workers/tag': `v${number}`, 'workers/message': undefined }
    ids.push(worker.keep(worker.draft({ modules: [], annotations, compatibilityDate: '2026-01-01' })).id)
  }
  return { worker, ids }
}

const shares = (...pairs) => ({ versions: pairs.map(([version_id, percentage]) => ({ version_id, percentage })) })

test("a deployment follows Cloudflare's rules", async (t) => {
  const {
    worker,
    ids: [a, b, c],
  } = workerWith(3)
  const CASES = /** @type {[name: string, asked: any, refusal?: RegExp][]} */ ([
    ['one version', shares([a, 100])],
    ['0 % beside 100 %', shares([a, 0], [b, 100])],
    ['two shares', shares([a, 12.5], [b, 87.5])],
    ['three decimals', shares([a, 0.001], [b, 99.999])],
    ['what wrangler lets pass', shares([a, 33.333], [b, 66.6665])],
    ['three versions', shares([a, 10], [b, 20], [c, 70]), /at most 2/],
    ['none', shares(), /at least one/],
    ['no list', { versions: 'all' }, /at least one/],
    ['less than all', shares([a, 10], [b, 89]), /add up to 99, not 100/],
    ['more than all', shares([a, 100], [b, 1]), /add up to 101, not 100/],
    ['one alone with less', shares([a, 50]), /add up to 50/],
    ['a negative share', shares([a, -1], [b, 101]), /from 0 to 100/],
    ['text', shares([a, '100']), /from 0 to 100/],
    ['one twice', shares([a, 50], [a, 50]), /twice/],
    ['an unknown version', shares(['11111111-2222-4333-8444-555555555555', 100]), /could not be found/],
    ['another strategy', { ...shares([a, 100]), strategy: 'random' }, /expected percentage, not random/],
  ])
  for (const [name, asked, refusal] of CASES) {
    await t.test(name, () => {
      if (refusal) return assert.throws(() => worker.plan(asked), refusal)
      assert.deepEqual(worker.plan(asked).versions, asked.versions)
    })
  }
})

test('the last hundred versions can be deployed, and only they are listed', () => {
  const { worker, ids } = workerWith(DEPLOYABLE + 1)
  assert.equal(DEPLOYABLE, 100)
  assert.throws(() => worker.plan(shares([ids[0], 100])), /not among the last 100/)
  assert.equal(worker.plan(shares([ids[1], 100])).versions[0].version_id, ids[1])
  assert.deepEqual(
    worker.deployable().map(({ id }) => id),
    ids.slice(1).reverse(),
  )
  // It can still be viewed.
  assert.equal(worker.version(ids[0]).shown.number, 1)
})

test('a version keeps its modules while it can be deployed or is deployed', () => {
  const { worker, ids } = workerWith(2)
  worker.deploy(worker.plan(shares([ids[0], 100])))
  for (let more = 0; more < DEPLOYABLE; more += 1)
    worker.keep(worker.draft({ modules: [], compatibilityDate: '2026-01-01' }))
  assert.deepEqual(worker.version(ids[0]).runs.modules, [])
  assert.equal(worker.version(ids[1]).runs.modules, undefined)
})

test('the last ten deployments are listed, the newest first, without empty annotations', () => {
  const {
    worker,
    ids: [a],
  } = workerWith(1)
  for (let number = 0; number < 12; number += 1) {
    worker.deploy(
      worker.plan({ ...shares([a, 100]), annotations: { 'workers/message': number ? `${number}` : undefined } }),
    )
  }
  const listed = worker.deployments().map(({ annotations }) => annotations['workers/message'])
  assert.deepEqual(listed, ['11', '10', '9', '8', '7', '6', '5', '4', '3', '2'])
  assert.deepEqual(worker.version(a).shown.annotations, {
    'workers/tag': 'v1',
    'workers/triggered_by': 'version_upload',
  })
})

test('the value of a secret is not shown', () => {
  const worker = new Worker('w')
  const bindings = [
    { type: 'secret_text', name: 'READ_TOKENS', text: 's3cret' },
    { type: 'plain_text', name: 'A', text: 'b' },
  ]
  const { shown, runs } = worker.draft({ modules: [], bindings, compatibilityDate: '2026-01-01' })
  assert.deepEqual(shown.resources.bindings, [{ type: 'secret_text', name: 'READ_TOKENS' }, bindings[1]])
  assert.deepEqual(runs.bindings, bindings)
})

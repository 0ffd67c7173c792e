import assert from 'node:assert/strict'
import test from 'node:test'

import { met, route } from '../../tools/edge/routing.js'

const NEW = 'dc8dcd28-271b-4367-9840-6c244f84cb40'
const OLD = 'db7cd8d3-4425-4fe7-8c81-01bf963b6067'
const OTHER = 'ffffffff-271b-4367-9840-6c244f84cb40'
const WORKER = 'my-worker-name'

const deployment = (...shares) => shares.map(([version_id, percentage]) => ({ version_id, percentage }))
const AT_ZERO = deployment([NEW, 0], [OLD, 100])

async function idOf(versions, asked = {}) {
  const { version_id: id } = await route(versions, { worker: WORKER, draw: () => 0, ...asked })
  return id
}

// From the documentation, "Version overrides", and RFC 9651, section 3.2.
const OVERRIDES = [
  ['the documented example', `my-worker-name="${NEW}"`, NEW],
  ['the version that has it all', `my-worker-name="${OLD}"`, OLD],
  ['several Workers', `another="${OTHER}", my-worker-name="${NEW}",third="x"`, NEW],
  ['white space around', `  another="x" \t,\t my-worker-name="${NEW}"  `, NEW],
  ['parameters, which mean nothing', `my-worker-name="${NEW}";a=1;b`, NEW],
  ['a key twice: the last one counts', `my-worker-name="${OTHER}", my-worker-name="${NEW}"`, NEW],
  ['a key twice: the last one is none', `my-worker-name="${NEW}", my-worker-name=?1`, OLD],
  ['members of other types for others', `a=1, b=?0, c=:aGk=:, d=(1 2), e, my-worker-name="${NEW}", f=@1`, NEW],
  ['a version that is not deployed', `my-worker-name="${OTHER}"`, OLD],
  ['another Worker', `other-worker="${NEW}"`, OLD],
  ['a name that only begins so', `my-worker-name-2="${NEW}"`, OLD],
  ['a Token, not a String', `my-worker-name=${NEW}`, OLD],
  ['a Token that begins with a letter', `my-worker-name=a${NEW.slice(1)}`, OLD],
  ['a Display String', `my-worker-name=%"${NEW}"`, OLD],
  ['an Inner List', `my-worker-name=("${NEW}")`, OLD],
  ['a Byte Sequence', `my-worker-name=:${Buffer.from(NEW).toString('base64')}:`, OLD],
  ['a Boolean', 'my-worker-name', OLD],
  ['an id in capitals', `my-worker-name="${NEW.toUpperCase()}"`, OLD],
  ['nothing', '', OLD],
  ['only white space', '   ', OLD],
  ['a quote that stays open', `my-worker-name="${NEW}`, OLD],
  ['single quotes', `my-worker-name='${NEW}'`, OLD],
  ['a comma at the end', `my-worker-name="${NEW}",`, OLD],
  ['a member before it that is malformed', `Ä=1, my-worker-name="${NEW}"`, OLD],
  ['a member after it that is malformed', `my-worker-name="${NEW}", b=%`, OLD],
  ['white space at the equals sign', `my-worker-name = "${NEW}"`, OLD],
  ['a key in capitals', `My-Worker-Name="${NEW}"`, OLD],
  ['JSON', `{"my-worker-name":"${NEW}"}`, OLD],
  ['members of an object', '__proto__="x", constructor="y"', OLD],
]

test('an override works as in the documentation and RFC 9651', async (t) => {
  for (const [name, overrides, expected] of OVERRIDES) {
    await t.test(name, async () => assert.equal(await idOf(AT_ZERO, { overrides, draw: () => 0.5 }), expected))
  }
})

test('an override takes precedence over a key, which decides if the override is ignored', async () => {
  const half = deployment([NEW, 50], [OLD, 50])
  for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) {
    assert.equal(await idOf(half, { key, overrides: `${WORKER}="${NEW}"` }), NEW)
    assert.equal(await idOf(half, { key, overrides: `${WORKER}="${OTHER}"` }), await idOf(half, { key }))
  }
})

const SHARES = [
  [0, 100],
  [0.001, 99.999],
  [1, 99],
  [10, 90],
  [33.333, 66.667],
  [50, 50],
  [99.9, 0.1],
  [100, 0],
]

test('random requests follow the percentages', async (t) => {
  const DRAWS = 10_000
  for (const [share, rest] of SHARES) {
    await t.test(`${share} %`, async () => {
      const versions = deployment([NEW, share], [OLD, rest])
      let count = 0
      for (let at = 0; at < DRAWS; at += 1) count += Number((await idOf(versions, { draw: () => at / DRAWS })) === NEW)
      assert.ok(Math.abs(count - (share / 100) * DRAWS) <= 1, `${count} of ${DRAWS}`)
    })
  }
})

test('the last point has a version if percentages add up to slightly less than 100, and never one at 0 %', async () => {
  for (const versions of [deployment([NEW, 49.9996], [OLD, 49.9999]), deployment([OLD, 99.9995], [NEW, 0])]) {
    assert.equal(await idOf(versions, { draw: () => 1 - 2 ** -32 }), OLD)
  }
})

const KEYS = Array.from({ length: 2_000 }, (_, number) => `caller-${number}`)

const keysOf = async (versions) => {
  const ids = await Promise.all(
    KEYS.map((key) => idOf(versions, { key, draw: () => assert.fail('a key needs no draw') })),
  )
  return new Set(KEYS.filter((_, at) => ids[at] === NEW))
}

const ORDERS =
  /** @type {[order: string, make: (share: number) => import('../../tools/edge/routing.js').Share[]][]} */ ([
    ['the growing version first', (share) => deployment([NEW, share], [OLD, 100 - share])],
    ['the growing version last', (share) => deployment([OLD, 100 - share], [NEW, share])],
  ])

for (const [order, make] of ORDERS) {
  test(`a key keeps its version, or moves to the one whose percentage grows: ${order}`, async () => {
    let before = new Set()
    assert.deepEqual(await keysOf(make(30)), await keysOf(make(30)))
    for (const share of [0, 0.001, 1, 10, 25, 50, 99, 100]) {
      const now = await keysOf(make(share))
      assert.deepEqual(
        [...before].filter((key) => !now.has(key)),
        [],
        `keys that moved back at ${share} %`,
      )
      assert.ok(Math.abs(now.size / KEYS.length - share / 100) < 0.03, `${now.size} keys at ${share} %`)
      before = now
    }
  })
}

test('the same keys move back when a percentage shrinks again', async () => {
  const [, make] = ORDERS[0]
  const [ten, fifty] = [await keysOf(make(10)), await keysOf(make(50))]
  assert.deepEqual(
    [...ten].filter((key) => !fifty.has(key)),
    [],
  )
  assert.deepEqual(await keysOf(make(10)), ten)
})

test('a deployment reaches a growing share of the requests', () => {
  const deployments = [
    { since: 1_000, versions: deployment(['third', 100]) },
    { since: 500, versions: deployment(['second', 100]) },
    { since: 0, versions: deployment(['first', 100]) },
  ]
  const at = (now, draws, spread = 1_000) =>
    met(deployments, { now, spread, draw: () => draws.shift() }).versions[0].version_id
  const CASES = /** @type {[now: number, draws: number[], expected: string][]} */ ([
    [1_000, [0, 0.49], 'second'],
    [1_000, [0, 0.5], 'first'],
    [1_250, [0.24], 'third'],
    [1_250, [0.25, 0.74], 'second'],
    [1_250, [0.25, 0.75], 'first'],
    [1_999, [0.998], 'third'],
    [1_999, [0.999], 'second'],
    [2_000, [], 'third'],
  ])
  for (const [now, draws, expected] of CASES) assert.equal(at(now, [...draws]), expected, `${now} ${draws}`)
  assert.equal(at(1_000, [], 0), 'third')
})

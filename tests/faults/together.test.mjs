import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { startKv } from '../cli/support/kv.mjs'
import { inLanes, Lane, states } from './support/stage.mjs'

const LANES = 4

describe('two syncs at once, from an older and a newer state', () => {
  let kv
  let lanes
  let filled
  let wanted
  const { base, older, newer, next } = states()
  const calls = {}
  const came = { newer: 0, reported: 0, rolledBack: 0 }

  before(async () => {
    kv = await startKv({ pairs: LANES })
    lanes = []
    for (let number = 0; number < LANES; number += 1) lanes.push(await Lane.start(kv))
    const [lane] = lanes
    assert.equal((await lane.sync(base)).code, 0)
    filled = await lane.save()
    for (const [name, repo] of Object.entries({ older, newer })) {
      await lane.load(filled)
      const clean = await lane.sync(repo)
      assert.equal(clean.code, 0, clean.stderr)
      calls[name] = clean.calls
    }
    wanted = await lane.served()
  })

  after(async () => {
    for (const lane of lanes ?? []) await lane.stop()
    await kv?.stop()
    console.log(
      `two syncs at once: ${came.newer + came.reported} ways to meet, ` +
        `${came.newer} ended as the newer, ${came.reported} with a conflict that was reported; ${came.rolledBack} rollbacks during a sync held`,
    )
  })

  /** When another run can start: before the first call, and after each call took effect. */
  const places = (made) => [{ at: 0, when: 'before' }, ...made.map((_, at) => ({ at, when: 'after' }))]

  /** Runs `quick` to its end at every such moment of `slow`. */
  const meetings = (slow, quick) =>
    places(calls[slow === older ? 'older' : 'newer']).map((place) => ({ slow, quick, ...place }))

  async function meet(lane, { slow, quick, at, when }) {
    await lane.load(filled)
    let other
    const hold = {
      [when]: async () => {
        other = await lane.sync(quick, { through: 1 })
      },
    }
    const one = await lane.sync(slow, { meet: (_call, index) => (index === at ? { hold } : null) })
    const what = `${slow === older ? 'the older' : 'the newer'} held ${when} call ${at}`
    await lane.assertWhole(what)
    const is = await lane.served()
    const said = [one, other].filter(({ code }) => code !== 0)
    for (const { code, stderr } of said) {
      assert.equal(code, 1, what)
      assert.match(stderr, /refused: (conflict: another sync|components\/.*KV was synced from)/, what)
    }
    const same = isDeepEqual(is, wanted)
    assert.ok(same || said.length > 0, `${what}: neither the newer nor a word\n${one.stderr}\n${other.stderr}`)
    came[same ? 'newer' : 'reported'] += 1
    const last = await lane.sync(newer)
    assert.equal(last.code, 0, `${what}: ${last.stderr}`)
    assert.deepEqual(await lane.served(), wanted, what)
  }

  test('the newer starts while the older runs', async () => {
    await inLanes(lanes, meetings(older, newer), meet)
  })

  test('the older starts while the newer runs', async () => {
    await inLanes(lanes, meetings(newer, older), meet)
  })

  test('the older starts last: it writes nothing and says what it lacks', async () => {
    const [lane] = lanes
    await lane.load(filled)
    assert.equal((await lane.sync(newer)).code, 0)
    const { code, stderr, writes } = await lane.sync(older)
    assert.deepEqual([code, writes], [1, []])
    assert.match(
      stderr,
      /refused: components\/\S+: KV was synced from .*; nothing was written\n\s+hint: .*git .*ls-remote.*--allow-older/,
    )
    assert.deepEqual(await lane.served(), wanted)
    const back = await lane.sync(older, { flags: ['--allow-older'] })
    assert.equal(back.code, 0, back.stderr)
    assert.equal((await lane.pair.slots.json('prompts/a@production')).targets[0].version, 'v1.1.0')
  })

  test('a rollback during any call of a sync stays in effect', async () => {
    const [first] = lanes
    await first.load(filled)
    assert.equal((await first.sync(older)).code, 0)
    const before = await first.save()
    const undisturbed = await first.sync(next)
    await inLanes(lanes, places(undisturbed.calls), async (lane, { at, when }) => {
      await lane.load(before)
      // Both commands read the same remote: the sync's state is what it has.
      const clone = next.publish().clone()
      let back
      const hold = {
        [when]: async () => {
          back = await lane.rollback(clone, 'prompts/a', 'production')
        },
      }
      const one = await lane.sync(next, { meet: (_call, index) => (index === at ? { hold } : null) })
      const what = `a rollback ${when} call ${at}\n${one.stderr}\n${back.stderr}`
      // The hold is drift, if the sync saw it.
      assert.ok([0, 3].includes(one.code), what)
      assert.equal(back.code, 0, what)
      // Before the tag moves, the rollback starts from the sync's own version.
      const { targets, hold: held } = await lane.pair.slots.json('prompts/a@production')
      const reached = at < undisturbed.calls.length - 1
      if (reached || held) assert.ok(held && targets[0].version !== 'v1.2.0', what)
      await lane.assertWhole(what)
      came.rolledBack += 1
    })
  })

  test('two syncs of the same state do not disturb each other', async () => {
    await inLanes(lanes, calls.newer.keys(), async (lane, at) => {
      await lane.load(filled)
      let other
      const hold = {
        after: async () => {
          other = await lane.sync(newer, { through: 1 })
        },
      }
      const one = await lane.sync(newer, { meet: (_call, index) => (index === at ? { hold } : null) })
      assert.deepEqual([one.code, other.code], [0, 0], `${one.stderr}\n${other.stderr}`)
      assert.deepEqual(await lane.served(), wanted)
    })
  })
})

function isDeepEqual(one, other) {
  try {
    assert.deepEqual(one, other)
    return true
  } catch {
    return false
  }
}

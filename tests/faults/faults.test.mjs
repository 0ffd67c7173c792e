import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { startKv } from '../cli/support/kv.mjs'
import { applies, FAULTS } from './support/proxy.mjs'
import { inLanes, Lane, states } from './support/stage.mjs'

const LANES = 4
const flags = ['--prune', '--allow-mass-delete']
/** Longer than an answer takes on a busy machine. */
const PATIENCE = { SLOTCTL_TIMEOUT: '1' }
const HURRY = { ...PATIENCE, SLOTCTL_RETRIES: '0' }

describe('a sync on a bad network', () => {
  let kv
  let lanes
  let filled
  let wanted
  let calls
  const { base, newer } = states()
  const survived = { once: 0, lasting: 0, killed: 0 }

  before(async () => {
    kv = await startKv({ pairs: LANES })
    lanes = []
    for (let number = 0; number < LANES; number += 1) lanes.push(await Lane.start(kv))
    const [lane] = lanes
    assert.equal((await lane.sync(base)).code, 0)
    filled = await lane.save()
    const clean = await lane.sync(newer, { flags })
    assert.equal(clean.code, 0, clean.stderr)
    calls = clean.calls
    wanted = await lane.settled()
    const again = await lane.sync(newer, { flags })
    assert.deepEqual([again.code, again.writes], [0, []], 'of what is as Git says nothing is written')
  })

  after(async () => {
    for (const lane of lanes ?? []) await lane.stop()
    await kv?.stop()
    const { once, lasting, killed } = survived
    console.log(
      `faults injected and survived: ${once + lasting + killed} at ${calls?.length} calls ` +
        `(${once} passed over by trying again, ${lasting} that ended a run, ${killed} kills)`,
    )
  })

  test('succeeds if every call fails once', async () => {
    const kinds = Object.entries(FAULTS).filter(([, { kill }]) => !kill)
    await inLanes(lanes, kinds, async (lane, [what, fault]) => {
      await lane.load(filled)
      const failed = new Set()
      const meet = (call) => {
        const key = `${call.method} ${call.path} ${call.size}`
        if (failed.has(key) || !applies(fault, call)) return null
        failed.add(key)
        return { fault }
      }
      const run = await lane.sync(newer, { flags, meet, env: PATIENCE })
      assert.equal(run.code, 0, `${what}: ${run.stderr}`)
      assert.deepEqual(await lane.settled(), wanted, what)
      survived.once += failed.size
    })
  })

  /** Every fault that ends a run, at every call where it applies. */
  const endings = () =>
    calls.flatMap((call, at) => {
      const kinds = Object.entries(FAULTS).filter(([, fault]) => fault.ends && applies(fault, call))
      return kinds.map(([name, fault]) => ({
        what: `${name} at call ${at} (${call.method} ${call.path.slice(33)})`,
        at,
        fault,
      }))
    })

  test('is finished by the next run, wherever and however it ended', async () => {
    await inLanes(lanes, endings(), async (lane, { what, at, fault }) => {
      await lane.load(filled)
      let met = 0
      const meet = (call, index) => {
        // No call succeeds from there on, if the fault applies.
        if (index < at || !applies(fault, call)) return null
        met += 1
        return { fault }
      }
      const ended = await lane.sync(newer, { flags, meet, env: HURRY })
      assert.ok(met > 0, what)
      assert.notEqual(ended.code, 0, `${what}: ${ended.stderr}`)
      await finished(lane, what, { third: fault.kill })
      survived[fault.kill ? 'killed' : 'lasting'] += 1
    })
  })

  test('is finished by the next run if connections were refused from some call on', async () => {
    await inLanes(lanes, calls.keys(), async (lane, at) => {
      await lane.load(filled)
      const [proxy] = lane.proxies
      if (at === 0) await proxy.refuse()
      const ended = await lane.sync(newer, { flags, meet: Object.assign(() => null, { refuses: at }), env: HURRY })
      assert.equal(ended.code, 1, `refused at call ${at}: ${ended.stderr}`)
      await proxy.listen()
      await finished(lane, `connections refused at call ${at}`, { third: true })
      survived.lasting += 1
    })
  })

  /**
   * Checks KV, lets the next run finish, and checks that nothing is left to do: KV equals the result
   * of an undisturbed sync. With `third`, another run must write nothing.
   */
  async function finished(lane, what, { third: again }) {
    await lane.assertWhole(what)
    const next = await lane.sync(newer, { flags })
    assert.equal(next.code, 0, `${what}, next: ${next.stderr}`)
    assert.deepEqual(await lane.settled(), wanted, what)
    if (!again) return
    const third = await lane.sync(newer, { flags })
    assert.deepEqual([third.code, third.writes], [0, []], `${what}, third: ${third.stderr}`)
  }
})

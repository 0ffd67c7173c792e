import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { startKv } from '../cli/support/kv.mjs'
import { gitEnv, slotctl } from '../cli/support/slotctl.mjs'
import { Lane, states } from './support/stage.mjs'

/** Ctrl-C at the `index`-th call that writes: before it reaches KV, or after it took effect. */
function interruptAt(index, at) {
  let writes = -1
  const fail = ({ process }) => process.kill('SIGINT')
  return (call) => {
    if (call.writes) writes += 1
    return call.writes && writes === index ? { fault: { at, fail } } : null
  }
}

describe('Ctrl-C', () => {
  let kv
  let lane
  const { base, newer, older } = states()

  before(async () => {
    kv = await startKv({ pairs: 2 })
    lane = await Lane.start(kv, 1)
  })
  after(async () => {
    await lane?.stop()
    await kv?.stop()
  })

  test('during a sync says what it leaves, and the same command completes it', async () => {
    const flags = ['--prune', '--allow-mass-delete']
    assert.equal((await lane.sync(older)).code, 0)
    const from = await lane.save()
    const clean = await lane.sync(newer, { flags })
    assert.equal(clean.code, 0, clean.stderr)
    const wanted = await lane.settled()
    assert.ok(clean.writes.length >= 4, `${clean.writes.length} calls that write`)
    for (let index = 0; index < clean.writes.length; index += 1) {
      for (const at of ['before', 'after']) {
        const what = `${at} the effect of write ${index}`
        await lane.load(from)
        const { code, stderr } = await lane.sync(newer, { flags, meet: interruptAt(index, at) })
        assert.equal(code, 130, `${what}: ${stderr}`)
        assert.match(stderr, /interrupted: a part of the plan is written, and nothing names what is missing/, what)
        assert.match(stderr, /hint: .*slotctl' sync --local|hint: .*slotctl sync --local/, what)
        await lane.assertWhole(what)
        const again = await lane.sync(newer, { flags })
        assert.equal(again.code, 0, `${what}: ${again.stderr}`)
        assert.deepEqual(await lane.settled(), wanted, what)
      }
    }
  })

  test('during a rollback says what it may leave, and the printed commands finish it', async () => {
    await lane.load({ slots: {}, components: {} })
    for (const state of [base, older]) assert.equal((await lane.sync(state)).code, 0)
    const from = await lane.save()
    const command = ['rollback', 'prompts/a', 'production', '--to', 'v1.0.0', '--reason', 'Broken']
    const rollBack = (repo, meet) => lane.run(command, repo, { meet, env: gitEnv() })
    const whole = await rollBack(older.publish().clone())
    assert.equal(whole.code, 0, whole.stderr)
    assert.ok(whole.writes.length >= 3, `${whole.writes.length} calls that write`)
    for (let index = 0; index < whole.writes.length; index += 1) {
      for (const at of ['before', 'after']) {
        const what = `${at} the effect of write ${index}`
        await lane.load(from)
        const remote = older.publish()
        const clone = remote.clone()
        const { code, stderr } = await rollBack(clone, interruptAt(index, at))
        assert.equal(code, 130, `${what}: ${stderr}`)
        assert.match(stderr, /interrupted: slots may be rolled back in Workers KV while their tags are not moved/, what)
        await lane.assertWhole(what)
        // What a sync makes of it: a hold, which is drift, or the state of the remote.
        const isHeld = (await lane.pair.slots.json('prompts/a@production')).hold !== undefined
        const sync = await lane.sync(remote.clone(), { env: gitEnv() })
        assert.equal(sync.code, isHeld ? 3 : 0, `${what}: ${sync.stderr}`)
        // The commands that were printed finish it.
        const commands = [...stderr.matchAll(/hint: slotctl (.*)/g)].map(([, args]) => args.split(' '))
        assert.equal(commands.length, 2, `${what}: ${stderr}`)
        for (const args of commands) {
          const ran = await slotctl(args, { env: gitEnv() })
          assert.equal(ran.code, 0, `${what}: ${args.join(' ')}: ${ran.stderr}`)
        }
        const fresh = remote.clone()
        const last = await lane.sync(fresh, { env: gitEnv() })
        assert.equal(last.code, 0, `${what}: ${last.stderr}`)
        await assertIsClean(fresh, what)
      }
    }
  })

  /** Compares KV with that of a sync into empty namespaces. */
  async function assertIsClean(repo, what) {
    const slots = async () => (await lane.served()).slots
    const is = await slots()
    await lane.load({ slots: {}, components: {} })
    assert.equal((await lane.sync(repo, { env: gitEnv() })).code, 0, what)
    assert.deepEqual(is, await slots(), what)
  }
})

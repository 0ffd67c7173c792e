import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { startKv } from '../cli/support/kv.mjs'
import { Repo, temporaryFolder } from '../cli/support/repo.mjs'
import { gitEnv } from '../cli/support/slotctl.mjs'
import { mulberry32 } from '../support/mulberry32.mjs'
import { applies, FAULTS } from './support/proxy.mjs'
import { inLanes, Lane, states } from './support/stage.mjs'

const LANES = 3
/** The proof takes 300; `npm test` has time for some of them. */
const TRIALS = Number(process.env.TRIALS ?? 30)
const MOST_RUNS = 4
/** More calls than a run makes; a run that is to meet something later meets nothing. */
const CALLS = 14

const PRUNE = ['--prune', '--allow-mass-delete']
/** A fault ends the run at once, and a run waits as long as the next one takes. */
const HURRY = { SLOTCTL_TIMEOUT: '60', SLOTCTL_RETRIES: '0' }
const FATAL = Object.entries(FAULTS).filter(([name, fault]) => fault.ends && !name.startsWith('silence'))

/**
 * Trials of two to four syncs, prunes and rollbacks, in clones of different ages, of a remote that
 * moves on meanwhile. Each run starts at a call of the run before, which waits for it. Some runs meet
 * a fault or are killed. A seed gives the trial: `SEED=14` repeats it alone, `TRIALS=300` runs more.
 */
describe('races of syncs, prunes and rollbacks', () => {
  let kv
  let lanes
  let filled
  const { base, older, newer, next } = states()
  const futures = [newer, next]
  const came = { runs: 0, faults: 0, refused: 0, rollbacks: 0, held: 0 }

  before(async () => {
    // A pair of each lane for the trial, and one for the clean sync that it is compared with.
    kv = await startKv({ pairs: 2 * LANES })
    lanes = []
    for (let number = 0; number < LANES; number += 1) {
      const [lane, clean] = [await Lane.start(kv, MOST_RUNS), await Lane.start(kv, 1)]
      lanes.push(Object.assign(lane, { clean }))
    }
    const [lane] = lanes
    // A rollback needs an earlier version of its slot.
    for (const state of [base, older]) assert.equal((await lane.sync(state)).code, 0)
    filled = await lane.save()
  })

  after(async () => {
    for (const lane of lanes ?? []) await Promise.all([lane.stop(), lane.clean.stop()])
    await kv?.stop()
    console.log(
      `${TRIALS} races: ${came.runs} runs, ${came.faults} met a fault or were killed, ${came.refused} refused; ` +
        `${came.rollbacks} rollbacks; ${came.held} slots on hold at the end`,
    )
  })

  test('end as a clean sync of the remote, and no slot names a missing content', async () => {
    const seeds = process.env.SEED ? [Number(process.env.SEED)] : Array.from({ length: TRIALS }, (_, seed) => seed)
    await inLanes(lanes, seeds, trial)
  })

  async function trial(lane, seed) {
    const random = generator(seed)
    const what = `SEED=${seed}`
    await lane.load(filled)
    const remote = older.publish()
    const future = { remote, left: [futures[random(2)]] }
    const clones = [base, older, ...future.left].map((state) => cloneOf(remote, state))
    const count = 2 + random(MOST_RUNS - 1)
    await run(lane, { future, clones, random, what, through: 0, count })
    await lane.assertWhole(`${what}, after the runs`)
    await assertEndsAsTheRemote(lane, remote, what)
  }

  /** Runs one command; at one of its calls, the next one runs to its end. */
  async function run(lane, scene) {
    const { future, clones, random, what, through, count } = scene
    if (through >= count) return
    const choice = {
      clone: clones[random(clones.length)],
      kind: ['sync', 'sync', 'prune', 'rollback'][random(4)],
      at: random(CALLS),
      when: ['before', 'after'][random(2)],
      moves: random(2) === 0,
      fault: random(5) < 2 && { kind: FATAL[random(FATAL.length)], at: random(CALLS) },
    }
    let nested
    const follow = async () => {
      if (choice.moves) advance(future)
      await run(lane, { ...scene, through: through + 1 })
      await lane.assertWhole(`${what}, during run ${through}`)
    }
    const next = () => (nested ??= follow())
    const meet = (call, index) => {
      const hold = index === choice.at ? { [choice.when]: next } : undefined
      const fault = choice.fault && index >= choice.fault.at && takeFault(choice, call)
      return { hold, fault }
    }
    const ended = await lane.run(...commandOf(choice), { meet, through, env: { ...gitEnv(), ...HURRY } })
    came.runs += 1
    if (choice.kind === 'rollback') came.rollbacks += 1
    if (ended.code === 1 && !choice.met) came.refused += 1
    const isExpected = [0, 1, 3].includes(ended.code) || choice.met
    assert.ok(isExpected, `${what}: ${choice.kind} ended with ${ended.code}\n${ended.stderr}`)
    // The run may have had fewer calls, or have been killed while the next one ran.
    await next()
  }

  function takeFault(choice, call) {
    const [, fault] = choice.fault.kind
    if (choice.met || !applies(fault, call)) return undefined
    choice.met = true
    came.faults += 1
    return fault
  }

  /** A last sync makes KV what the remote says, but for slots on hold. */
  async function assertEndsAsTheRemote(lane, remote, what) {
    const fresh = remote.clone()
    const last = await lane.sync(fresh, { flags: PRUNE, env: gitEnv() })
    await lane.clean.load({ slots: {}, components: {} })
    const clean = await lane.clean.sync(fresh, { flags: PRUNE, env: gitEnv() })
    assert.equal(clean.code, 0, `${what}: ${clean.stderr}`)
    await lane.assertWhole(`${what}, at the end`)
    const [is, wanted] = [await lane.served(), await lane.clean.served()]
    const isHeld = ([, { value }]) => JSON.parse(value).hold !== undefined
    const held = Object.entries(is.slots).filter(isHeld)
    assert.equal(last.code, held.length > 0 ? 3 : 0, `${what}: ${last.stderr}`)
    for (const [key] of held) {
      came.held += 1
      assert.match(last.stderr, new RegExp(`${key}: held at`), `${what}: the hold of ${key} is not named`)
      delete is.slots[key]
      delete wanted.slots[key]
    }
    assert.deepEqual(is.slots, wanted.slots, `${what}: slots\n${last.stderr}`)
    assert.deepEqual(records(is), records(wanted), `${what}: records\n${last.stderr}`)
  }
})

/**
 * The records of versions, catalogs and the index, without their hashes and moves, which tell of the
 * way. The slots in catalogs are compared by themselves.
 */
function records({ components }) {
  const named = Object.entries(components).filter(([key]) => !/^sha256\/|@unreferenced$/.test(key))
  return Object.fromEntries(named.map(([key, { value }]) => [key, withoutSlots(value)]))
}

function withoutSlots(value) {
  if (typeof value !== 'object' || !value.slots) return value
  return { ...value, slots: Object.keys(value.slots) }
}

const commandOf = ({ kind, clone }) => {
  if (kind === 'rollback') return [['rollback', 'prompts/a', 'production'], clone]
  return [kind === 'prune' ? ['sync', ...PRUNE] : ['sync'], clone]
}

/** Makes the refs of the remote those of its next state. */
function advance({ remote, left }) {
  const state = left.shift()
  if (state) remote.git('fetch', '--quiet', '--prune', '--force', '--update-head-ok', state.dir, '+refs/*:refs/*')
}

/** A clone that has what the remote had at the time of a state. */
function cloneOf(remote, state) {
  const clone = new Repo(temporaryFolder('clone'))
  clone.git('clone', '--quiet', state.dir, '.')
  clone.git('remote', 'set-url', 'origin', remote.dir)
  return clone
}

/** A generator of numbers below a bound. */
function generator(seed) {
  const whole = mulberry32(seed)
  return (bound) => whole() % bound
}

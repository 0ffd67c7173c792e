import assert from 'node:assert/strict'
import { chmodSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

import { startKv } from './support/kv.mjs'
import { Repo } from './support/repo.mjs'
import { gitEnv, slotctl } from './support/slotctl.mjs'

const NAME = 'prompts/extraction'
const PRODUCTION = `${NAME}@production`
const CANARY = `["${NAME}".production]\nsplit = { canary = 10 }\nsegments = { beta = "canary" }\n`

/**
 * Creates a remote with v1.0.0 (production) and v1.1.0 (canary), a clone of it, and Workers KV that was
 * synced from it. `been` are versions that production had before.
 */
async function team(kv, { policy = CANARY, been = [] } = {}) {
  const pair = kv.pair()
  const source = new Repo()
  for (const version of ['v0.9.0', 'v1.0.0', 'v1.1.0']) {
    source.commit({ [`${NAME}.md`]: `${version}\n` })
    source.version(NAME, version)
  }
  source.commit({ 'rollouts.toml': policy })
  source.slot(NAME, 'canary', 'v1.1.0')
  const run = (command, { dir }, ...flags) =>
    slotctl([...command.split(' '), '--local', kv.url, '--config', pair.config, '--repo', dir, '--json', ...flags], {
      env: gitEnv(),
    })
  for (const version of [...been, 'v1.0.0']) {
    source.slot(NAME, 'production', version)
    assert.equal((await run('sync', source)).code, 0)
  }
  const remote = source.publish()
  const clone = remote.clone()
  clone.git('config', 'user.name', 'Grace')
  clone.git('config', 'user.email', 'grace@example.com')
  const history = async () =>
    (await slotctl(['history', NAME, 'production', '--local', kv.url, '--config', pair.config, '--json'])).json.moves
  const shares = async (slot = 'production') => {
    const { targets, segments = {} } = await pair.slots.json(`${NAME}@${slot}`)
    const segment = ([group, arm]) => `${group}: ${arm.slot} ${arm.version}`
    return [
      ...targets.map(({ slot, version, weight }) => `${slot} ${version} ${weight / 1000}`),
      ...Object.entries(segments).map(segment),
    ]
  }
  const hold = async (slot = 'production') => (await pair.slots.json(`${NAME}@${slot}`)).hold
  return { pair, remote, clone, history, shares, hold, run: (command, ...flags) => run(command, clone, ...flags) }
}

/** Runs commands that a message prints, in the clone. */
async function paste(commands, { dir }) {
  for (const command of commands) {
    const [program, ...args] = command.split(' ')
    assert.equal(program, 'slotctl')
    const ended = await slotctl(args, { cwd: dir, env: gitEnv() })
    assert.equal(ended.code, 0, `${command}\n${ended.stderr}`)
  }
}

describe('holds', () => {
  let kv
  before(async () => {
    kv = await startKv({ pairs: 12 })
  })
  after(() => kv?.stop())

  const SPLIT = ['canary v1.1.0 10', 'production v1.0.0 90', 'beta: canary v1.1.0']
  const TAKEN = ['canary v1.1.0 0', 'production v1.0.0 100']

  test('a rollback takes the share and the segments of a bad canary, until rollouts.toml agrees', async () => {
    const { clone, history, shares, hold, run } = await team(kv)
    assert.deepEqual(await shares(), SPLIT)
    const dry = await run(`rollback ${NAME} production`, '--dry-run')
    assert.equal(dry.code, 0, dry.stderr)
    assert.deepEqual(await shares(), SPLIT)

    const { code, json, stderr } = await run(`rollback ${NAME} production`, '--reason', 'v1.1.0 leaks')
    assert.equal(code, 0, stderr)
    const { records, ...done } = json.rollbacks[0]
    assert.deepEqual(done, {
      component: NAME,
      slot: 'production',
      from: 'v1.1.0',
      to: 'v1.0.0',
      arm: 'canary',
      percent: 10,
      segments: ['beta'],
    })
    assert.deepEqual(records, [PRODUCTION])
    assert.deepEqual(await shares(), TAKEN)
    assert.deepEqual(await shares('canary'), ['canary v1.1.0 100'], 'who asks for canary gets it')
    assert.equal((await hold()).reason, 'v1.1.0 leaks')
    assert.match(stderr, /~ prompts\/extraction@production: canary v1\.1\.0 10 % → 0 %, .*, on hold\n/)

    // A second run takes nothing more, and every command calls the difference drift.
    const again = await run(`rollback ${NAME} production`)
    assert.equal(again.code, 1)
    assert.match(again.stderr, /the share of canary is on hold at 0 % already \(v1\.1\.0 leaks, by Grace\)/)
    const synced = await run('sync')
    assert.deepEqual([synced.code, synced.json.plan.empty, await shares()], [3, true, TAKEN])
    for (const command of ['sync', 'sync --dry-run --check', 'status --check', 'verify']) {
      const ended = await run(command)
      assert.equal(ended.code, 3, `${command}: ${ended.stderr}`)
      assert.match(ended.stderr, /held at .*, Git says canary v1\.1\.0 10 %/, command)
      assert.match(ended.stderr, /slotctl hold lift prompts\/extraction production --local/, command)
      assert.match(ended.stderr, /slotctl rollout prompts\/extraction production --to canary --percent 0 --commit/)
    }

    // Half of it is not enough: the segment would lead to the canary again.
    const [share, segment, push] = json.finish.map((command) => command.replace(` --repo ${clone.dir}`, ''))
    await paste([share, push], clone)
    await run('sync')
    assert.deepEqual(await shares(), TAKEN)
    assert.ok(await hold())
    await paste([segment, push], clone)
    await run('sync')
    assert.deepEqual([await shares(), await hold()], [TAKEN, undefined])
    assert.equal((await run('status --check')).code, 0)

    assert.deepEqual(
      (await history()).map(({ held, author, why, traffic }) => [held, author, why, traffic?.changes.length]),
      [
        [true, 'Grace', 'v1.1.0 leaks', 3],
        [false, 'Grace', 'Set production to v1.0.0', 3],
      ],
    )
  })

  test('a new version of the canary ends the hold of its share', async () => {
    const { clone, history, shares, hold, run } = await team(kv)
    assert.equal((await run(`rollback ${NAME} production`)).code, 0)
    clone.slot(NAME, 'canary', 'v0.9.0', 'The fix')
    clone.git('push', '--quiet', '--force', 'origin', `refs/tags/components/${NAME}/canary`)
    await run('sync')
    assert.deepEqual(await shares(), ['canary v0.9.0 10', 'production v1.0.0 90', 'beta: canary v0.9.0'])
    assert.equal(await hold(), undefined)
    const [{ why, held }] = await history()
    assert.deepEqual([why, held], ['The fix', false])
  })

  test('a rollback that could mean two things is refused with both, and --arm says which', async () => {
    const { shares, run } = await team(kv, { been: ['v0.9.0'] })
    const unclear = await run(`rollback ${NAME} production`)
    assert.equal(unclear.code, 1)
    assert.match(unclear.stderr, /it is not clear what goes back: it also serves canary v1\.1\.0 \(10 %\)/)
    assert.match(unclear.stderr, /--arm canary .*; --arm production sets its own version back to v0\.9\.0/)
    assert.deepEqual(await shares(), SPLIT)
    const missing = await run(`rollback ${NAME} production --arm ring`)
    assert.match(missing.stderr, /ring gets none of its callers\n.*it sends callers to: canary/)
    assert.equal((await run(`rollback ${NAME} production --arm canary`)).code, 0)
    assert.deepEqual(await shares(), TAKEN)
    // The slot's own version goes back as well; both stay on hold.
    assert.equal((await run(`rollback ${NAME} production --arm production --reason slow`)).code, 1, 'on hold')
    assert.equal((await run(`rollback ${NAME} production --to v0.9.0 --reason slow`)).code, 0)
    const both = ['canary v1.1.0 0', 'production v0.9.0 100']
    assert.deepEqual(await shares(), both)
    const synced = await run('sync')
    assert.equal(synced.code, 3, synced.stderr)
    assert.deepEqual(await shares(), both, 'the tag agrees, the share is still on hold')
    const all = await run('rollback --all canary --arm ring')
    assert.match(all.stderr, /left, ring gets none of its callers/)
  })

  test('hold list shows what is on hold, and hold lift serves what Git says', async () => {
    const { pair, remote, clone, history, run, shares, hold } = await team(kv, { policy: '', been: ['v0.9.0'] })
    const none = await run('hold list')
    assert.deepEqual([none.code, none.json.holds], [0, []])
    assert.match(none.stderr, /No slot is on hold/)
    const hook = path.join(remote.dir, 'hooks', 'pre-receive')
    writeFileSync(hook, '#!/bin/sh\nexit 1\n')
    chmodSync(hook, 0o755)
    assert.equal((await run(`rollback ${NAME} production`, '--reason', 'it leaks')).code, 1)
    rmSync(hook)
    const listed = await run('hold list')
    assert.equal(listed.code, 0, listed.stderr)
    const [{ slot, state, hold: known, end, lift }] = listed.json.holds
    assert.deepEqual([listed.json.holds.length, slot, state, known.reason], [1, 'production', 'held', 'it leaks'])
    const repo = `--repo ${clone.dir}`
    assert.equal(end, `slotctl tag set ${NAME} production v0.9.0 ${repo} && slotctl push --tags --force ${repo}`)
    assert.equal(lift, `slotctl hold lift ${NAME} production --local ${kv.url} --config ${pair.config} ${repo}`)

    const explained = await run(`explain ${NAME} production`, '--key', 'ada')
    assert.deepEqual([explained.code, explained.json.version], [0, 'v0.9.0'], explained.stderr)
    assert.deepEqual([explained.json.holdKnown, explained.json.hold.reason], [true, 'it leaks'])
    assert.match(explained.stderr, /production: is on hold \(it leaks, by .* at .*\): callers get what Workers KV has/)
    assert.match(explained.stderr, /Git says: production v1\.0\.0/)
    const dry = await run(`hold lift ${NAME} production`, '--dry-run')
    assert.equal(dry.code, 0, dry.stderr)
    assert.match(dry.stderr, /~ prompts\/extraction@production: v0\.9\.0 → v1\.0\.0\n/)
    assert.deepEqual(await shares(), ['production v0.9.0 100'])
    const lifted = await run(`hold lift ${NAME} production`, '--reason', 'it was the cache')
    assert.equal(lifted.code, 0, lifted.stderr)
    assert.deepEqual([await shares(), await hold()], [['production v1.0.0 100'], undefined])
    const synced = await run('sync --dry-run --check')
    assert.deepEqual([synced.code, synced.json.plan.empty], [0, true], synced.stderr)
    assert.deepEqual(
      (await history()).slice(0, 2).map(({ from, to, author, why, held }) => [from, to, author, why, held]),
      [
        ['v0.9.0', 'v1.0.0', 'Grace', 'it was the cache', false],
        ['v1.0.0', 'v0.9.0', 'Grace', 'it leaks', true],
      ],
    )
    const freed = await run(`explain ${NAME} production`, '--key', 'ada')
    assert.deepEqual([freed.json.version, freed.json.holdKnown, freed.json.hold], ['v1.0.0', true, null])
    const again = await run(`hold lift ${NAME} production`)
    assert.match(again.stderr, /production: it is not on hold\n.*slotctl hold list/)
    assert.equal(again.code, 1)
  })

  test('a hold is not lifted if the version is revoked, or if Workers KV lacks what Git says', async () => {
    const { clone, run, shares } = await team(kv, { been: ['v0.9.0'] })
    assert.equal((await run(`rollback ${NAME} production --arm canary`)).code, 0)
    clone.commit({ [`${NAME}.md`]: 'v1.2.0\n' })
    clone.version(NAME, 'v1.2.0')
    clone.slot(NAME, 'production', 'v1.2.0')
    clone.git('push', '--quiet', '--force', 'origin', 'main', '--tags')
    const early = await run(`hold lift ${NAME} production`)
    assert.equal(early.code, 1)
    assert.match(early.stderr, /it would serve a (content|version v1\.2\.0) that Workers KV does not have yet/)
    assert.deepEqual(await shares(), TAKEN)
    assert.equal((await run('sync')).code, 3)
    const revoked = `${CANARY}["${NAME}"]\nrevoked = { "v1.2.0" = "leaks" }\n`
    clone.commit({ 'rollouts.toml': revoked })
    clone.git('push', '--quiet', 'origin', 'main')
    assert.equal((await run('sync')).code, 1)
    assert.deepEqual(await shares(), TAKEN, 'the last good version, without the canary')
    const { json } = await run('hold list')
    assert.deepEqual(
      json.holds.map(({ slot, lift }) => [slot, lift]).filter(([slot]) => slot === 'production'),
      [['production', null]],
    )
    const refused = await run(`hold lift ${NAME} production`)
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /the hold cannot be lifted: v1\.2\.0 is revoked\n.*slotctl tag set/)
    assert.deepEqual(await shares(), TAKEN)
  })

  test('the hold of a slot without a tag is drift, and can be lifted', async () => {
    const { remote, run, hold, shares } = await team(kv, { policy: '', been: ['v0.9.0'] })
    assert.equal((await run(`rollback ${NAME} production`)).code, 0)
    remote.git('tag', '--delete', `components/${NAME}/production`)
    const status = await run('status --check')
    assert.equal(status.code, 3)
    assert.match(status.stderr, /held at v0\.9\.0, no tag has the slot/)
    assert.equal((await run(`hold lift ${NAME} production`)).code, 0)
    assert.deepEqual([await shares(), await hold()], [['production v0.9.0 100'], undefined])
    assert.equal((await run('status --check')).code, 0)
  })
})

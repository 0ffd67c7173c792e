import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { startKv } from './support/kv.mjs'
import { Repo } from './support/repo.mjs'
import { gitEnv, slotctl } from './support/slotctl.mjs'

const NAME = 'prompts/x'
const NOW = Math.floor(Date.now() / 1000)
const YEAR = 365 * 86_400

/** A remote, and a clone that has synced v1.0.0 as production. */
async function begin(kv) {
  const first = new Repo()
  first.now = NOW - 7200
  first.commit({ 'prompts/x.md': 'One.\n', 'rollouts.toml': '# no policy yet\n' })
  first.version(NAME, 'v1.0.0')
  first.slot(NAME, 'production', 'v1.0.0')
  const remote = first.publish()
  const team = { kv, remote, pair: kv.pair(), clone: remote.clone() }
  assert.equal((await sync(team, team.clone)).code, 0)
  return team
}

const sync = ({ kv, pair }, repo, ...flags) =>
  slotctl(['sync', '--local', kv.url, '--config', pair.config, '--repo', repo.dir, '--json', ...flags], {
    env: gitEnv(),
  })

const production = async ({ pair }) => (await pair.slots.json(`${NAME}@production`)).targets[0].version

/** The records of runs that are in KV. */
async function runs({ pair }) {
  const keys = Object.entries(await pair.components.listAll()).filter(([key]) => key.startsWith('@sync/'))
  for (const [key, metadata] of keys) assert.deepEqual(await pair.components.json(key), metadata)
  return keys.map(([, metadata]) => metadata)
}

/** Releases a version as production, at a time, and pushes all of it. */
function release(repo, version, time) {
  repo.now = time
  repo.commit({ 'prompts/x.md': `${version}\n` }, `Release ${version}`)
  repo.version(NAME, version)
  repo.slot(NAME, 'production', version)
  repo.git('push', '--quiet', '--force', 'origin', 'main', 'refs/tags/*')
}

describe('the order of states', () => {
  let kv
  before(async () => {
    kv = await startKv({ pairs: 10 })
  })
  after(() => kv?.stop())

  test('a clock that is a year ahead stops nobody, and is named', async () => {
    const team = await begin(kv)
    release(team.clone, 'v1.1.0', NOW + YEAR)
    const ahead = await sync(team, team.clone)
    assert.equal(ahead.code, 0, ahead.stderr)
    assert.match(ahead.stderr, /components\/prompts\/x\/production: its time, 20\d\d-\S+, is in the future/)
    const [warning] = ahead.json.plan.warnings.filter(({ what }) => what.includes('is in the future'))
    assert.match(warning.what, /times do not decide what is newer/)

    const colleague = team.remote.clone()
    release(colleague, 'v1.2.0', NOW)
    const next = await sync(team, colleague)
    assert.deepEqual([next.code, await production(team)], [0, 'v1.2.0'], next.stderr)
    const again = await sync(team, team.clone)
    assert.deepEqual([again.code, again.json.plan.empty], [0, true], again.stderr)
  })

  test('a clock that is ten minutes behind does not refuse a promotion', async () => {
    const team = await begin(kv)
    release(team.clone, 'v1.1.0', NOW - 600)
    const { code, stderr } = await sync(team, team.clone)
    assert.deepEqual([code, await production(team)], [0, 'v1.1.0'], stderr)
    assert.doesNotMatch(stderr, /in the future/)
  })

  test('a branch that was set back at the remote is older, whatever its commits say', async () => {
    const team = await begin(kv)
    const before = team.clone.git('rev-parse', 'HEAD')
    release(team.clone, 'v1.1.0', NOW - 600)
    assert.equal((await sync(team, team.clone)).code, 0)
    const written = await team.pair.slots.dump()

    const colleague = team.remote.clone()
    colleague.git('reset', '--quiet', '--hard', before)
    release(colleague, 'v1.2.0', NOW + 5)
    const refused = await sync(team, colleague)
    assert.equal(refused.code, 1)
    assert.match(
      refused.stderr,
      /refused: main: KV was synced from the commit [0-9a-f]{7} of \S+, which is not in the history .*nothing was written\n\s+hint: .*--allow-older/,
    )
    assert.deepEqual(await team.pair.slots.dump(), written)
    const meant = await sync(team, colleague, '--allow-older')
    assert.deepEqual([meant.code, await production(team)], [0, 'v1.2.0'], meant.stderr)
    // The record of that run replaces the earlier one.
    team.clone.git('fetch', '--quiet', '--force', '--tags', 'origin')
    colleague.slot(NAME, 'production', 'v1.0.0')
    colleague.git('push', '--quiet', '--force', 'origin', 'refs/tags/*')
    const next = await sync(team, team.clone)
    assert.deepEqual([next.code, await production(team)], [0, 'v1.0.0'], next.stderr)
  })

  test('a clone with one commit knows the history of the remote', async () => {
    const team = await begin(kv)
    for (const at of [1, 2, 3]) team.clone.commit({ 'README.md': `${at}\n` })
    release(team.clone, 'v1.1.0', NOW)
    const shallow = new Repo()
    shallow.git('remote', 'add', 'origin', `file://${team.remote.dir}`)
    shallow.git('fetch', '--quiet', '--depth=1', '--no-tags', 'origin', 'main')
    shallow.git('checkout', '--quiet', 'FETCH_HEAD')
    const { code, stderr } = await sync(team, shallow)
    assert.deepEqual([code, await production(team)], [0, 'v1.1.0'], stderr)
  })

  test('a copy without a remote is older if it never had the newest tag, whatever its clock says', async () => {
    const team = await begin(kv)
    const [mine, theirs] = [team.remote.clone(), team.remote.clone()]
    for (const copy of [mine, theirs]) copy.git('remote', 'remove', 'origin')
    theirs.now = NOW - 3600
    theirs.version(NAME, 'v1.1.0')
    theirs.slot(NAME, 'staging', 'v1.1.0')
    assert.equal((await sync(team, theirs)).code, 0)
    mine.now = NOW
    mine.slot(NAME, 'canary', 'v1.0.0')
    const { code, stderr } = await sync(team, mine)
    assert.equal(code, 1)
    assert.match(stderr, /refused: components\/prompts\/x\/\S+: KV was synced from newer tags/)
    const meant = await sync(team, mine, '--allow-older')
    assert.equal(meant.code, 0, meant.stderr)
  })

  test('KV keeps what a run was made from, and numbers the runs', async () => {
    const team = await begin(kv)
    const source = {
      remote: team.remote.dir,
      branch: 'main',
      commit: team.clone.git('rev-parse', 'HEAD'),
      tags: 2,
    }
    const [first, ...others] = await runs(team)
    assert.deepEqual(others, [])
    const { newestTag, ...rest } = first.source
    assert.deepEqual([first.run, first.ended, rest], [1, true, source])
    const newest = newestTag ?? first.newest
    assert.equal(newest.object, team.clone.git('rev-parse', `refs/tags/${newest.name}`))
    release(team.clone, 'v1.1.0', NOW)
    await sync(team, team.clone)
    const [second] = await runs(team)
    const commit = team.clone.git('rev-parse', 'HEAD')
    assert.deepEqual([second.run, second.source.commit, second.source.tags], [2, commit, 3])
    await sync(team, team.clone)
    assert.deepEqual(await runs(team), [second], 'a sync with nothing to write is not recorded')
    // Another component: a sync of it alone still counts the tags of all.
    team.clone.commit({ 'prompts/other.md': 'Other.\n' })
    team.clone.version('prompts/other', 'v1.0.0')
    team.clone.git('push', '--quiet', 'origin', 'main', '--tags')
    for (const flags of [[], ['--local-refs']]) {
      const { json, stderr } = await sync(team, team.clone, '--only', 'prompts/other', ...flags)
      assert.equal(json.source.tags, 4, stderr)
    }
    const [last] = (await runs(team)).toSorted((one, other) => other.run - one.run)
    assert.deepEqual([last.run, last.source.tags], [3, 4])
  })

  test('records of an earlier slotctl have neither, those of a later one have more', async () => {
    const team = await begin(kv)
    const rewrite = async (change) => {
      const [key] = Object.keys(await team.pair.components.listAll()).filter((name) => name.startsWith('@sync/'))
      const record = change(await team.pair.components.json(key))
      await team.pair.components.putWith(key, JSON.stringify(record), record)
    }
    await rewrite(({ source: _source, run: _run, ...record }) => {
      const newest = { name: `components/${NAME}/production`, time: '2999-01-01T00:00:00Z' }
      return { ...record, newest }
    })
    release(team.clone, 'v1.1.0', NOW)
    const earlier = await sync(team, team.clone)
    assert.deepEqual([earlier.code, (await runs(team))[0].run], [0, 1], earlier.stderr)
    await rewrite((record) => ({ ...record, run: 41, later: [1], source: { ...record.source, later: {} } }))
    release(team.clone, 'v1.2.0', NOW)
    const later = await sync(team, team.clone)
    assert.deepEqual([later.code, (await runs(team))[0].run], [0, 42], later.stderr)
  })
})

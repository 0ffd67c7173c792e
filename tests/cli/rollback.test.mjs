import assert from 'node:assert/strict'
import { chmodSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

import { startDev } from '../../scripts/lib/dev-server.mjs'
import { inRoot } from '../../scripts/lib/paths.mjs'
import { changedKeys, Kv, sha256, startKv } from './support/kv.mjs'
import { Repo, temporaryFolder } from './support/repo.mjs'
import { gitEnv, slotctl } from './support/slotctl.mjs'

const NAME = 'prompts/extraction'
const PRODUCTION = `${NAME}@production`
const TAG = `components/${NAME}`

/** Creates three versions; production has been at each of them. */
async function team(kv, pair, { policy = '', names = [NAME] } = {}) {
  const source = new Repo()
  for (const version of ['v1.0.0', 'v1.1.0', 'v1.2.0']) {
    source.commit(Object.fromEntries(names.map((name) => [`${name}.md`, `${name}, ${version}.\n`])))
    for (const name of names) source.version(name, version)
  }
  if (policy) source.commit({ 'rollouts.toml': policy })
  for (const name of names) {
    source.slot(name, 'production', 'v1.0.0')
    source.slot(name, 'canary', 'v1.2.0')
  }
  const remote = source.publish()
  const run = (command, repo, ...flags) => {
    const where = ['--local', kv.url, '--config', pair.config, '--repo', repo.dir]
    return slotctl([...command.split(' '), ...where, '--json', ...flags], { env: gitEnv() })
  }
  const sync = async (code = 0) => {
    const ended = await run('sync', remote)
    assert.equal(ended.code, code, ended.stderr)
    return ended.json.plan
  }
  await sync()
  for (const version of ['v1.1.0', 'v1.2.0']) {
    for (const name of names) source.slot(name, 'production', version, `Release ${version}`)
    source.git(
      'push',
      '--quiet',
      '--force',
      remote.dir,
      ...names.map((name) => `refs/tags/components/${name}/production`),
    )
    await sync()
  }
  const clone = remote.clone()
  return { remote, clone, sync, run: (command, ...flags) => run(command, clone, ...flags) }
}

const versionOf = (repo, name = NAME) =>
  /^tag .*\/(v[\d.]+)$/m.exec(
    repo.git(
      'cat-file',
      'tag',
      repo.git('cat-file', 'tag', `refs/tags/components/${name}/production`).match(/^object ([0-9a-f]+)/)[1],
    ),
  )[1]

describe('slotctl rollback', () => {
  let kv
  before(async () => {
    kv = await startKv({ pairs: 16 })
  })
  after(() => kv?.stop())

  const dump = async (pair) => ({ ...(await pair.slots.dump()), ...(await pair.components.dump()) })
  const own = async (pair, key = PRODUCTION) => {
    const { targets, hold } = await pair.slots.json(key)
    return { version: targets.at(-1).version, reason: hold?.reason, by: hold?.by }
  }

  test('goes to the previous version, on hold; moves and pushes the tag; the next sync lifts the hold', async () => {
    const pair = kv.pair()
    const { remote, sync, run } = await team(kv, pair)
    const before = await dump(pair)
    const dry = await run(`rollback ${NAME} production`, '--dry-run')
    assert.deepEqual([dry.code, dry.json.rollbacks[0].from, dry.json.rollbacks[0].to], [0, 'v1.2.0', 'v1.1.0'])
    assert.deepEqual(await dump(pair), before)

    const { code, json, stderr } = await run(`rollback ${NAME} production`, '--reason', 'v1.2.0 leaks')
    assert.equal(code, 0, stderr)
    assert.match(stderr, /~ prompts\/extraction@production: v1\.2\.0 → v1\.1\.0, on hold/)
    assert.match(
      stderr,
      /write +1 slot \(.*\nwrite +1 catalog \(.*\n.*production: v1\.2\.0 → v1\.1\.0\ntag +1 tag moved \(.*\npush +1 slot to origin \(/,
    )
    assert.deepEqual([json.pushed, json.finish, typeof json.seconds.slots], [true, [], 'number'])
    assert.deepEqual(await own(pair), { version: 'v1.1.0', reason: 'v1.2.0 leaks', by: 'Grace' })
    assert.deepEqual(changedKeys(before, await dump(pair)), [NAME, PRODUCTION])
    assert.equal(versionOf(remote), 'v1.1.0')
    const { slots } = await pair.components.json(NAME)
    const moves = slots.production.moves.map(({ from, to, author, why }) => [from, to, author, why])
    assert.deepEqual(moves[0], ['v1.2.0', 'v1.1.0', 'Grace', 'v1.2.0 leaks'])

    const plan = await sync()
    assert.deepEqual(
      plan.writes.slots.map(({ key }) => key),
      [PRODUCTION],
    )
    assert.deepEqual(await own(pair), { version: 'v1.1.0', reason: undefined, by: undefined })
    assert.equal((await sync()).empty, true)
    const again = (await pair.components.json(NAME)).slots.production.moves
    assert.deepEqual(again.length, moves.length, 'the move is recorded once')

    // Again: further back, and never forward to the version that was left.
    assert.equal((await run(`rollback ${NAME} production`)).json.rollbacks[0].to, 'v1.0.0')
    const held = await run(`rollback ${NAME} production`)
    assert.match(held.stderr, /on hold at v1\.0\.0 already \(Roll back, by Grace\)/)
    await sync()
    const none = await run(`rollback ${NAME} production`)
    assert.equal(none.code, 1)
    assert.match(
      none.stderr,
      /no move to v1\.0\.0 from a version that is still good is recorded\n +hint: name the version: --to/,
    )
  })

  test('a promotion after a rollback ends the hold, though no sync ran between', async () => {
    const pair = kv.pair()
    const { clone, sync, run } = await team(kv, pair)
    assert.equal((await run(`rollback ${NAME} production`, '--reason', 'it leaks')).code, 0)
    clone.slot(NAME, 'production', 'v1.0.0', 'The fix')
    clone.git('push', '--quiet', '--force', 'origin', `refs/tags/${TAG}/production`)
    await sync()
    assert.deepEqual(await own(pair), { version: 'v1.0.0', reason: undefined, by: undefined })
  })

  test('a hold whose push was refused stays until the remote agrees', async () => {
    const pair = kv.pair()
    const { remote, clone, sync, run } = await team(kv, pair)
    const hook = path.join(remote.dir, 'hooks', 'pre-receive')
    writeFileSync(hook, '#!/bin/sh\nexit 1\n')
    chmodSync(hook, 0o755)
    const before = remote.git('rev-parse', `refs/tags/${TAG}/production`)
    assert.equal((await run(`rollback ${NAME} production`, '--reason', 'it leaks')).code, 1)
    assert.equal((await pair.slots.json(PRODUCTION)).hold.tag, before)
    await sync(3)
    assert.deepEqual(await own(pair), { version: 'v1.1.0', reason: 'it leaks', by: 'Grace' })
    rmSync(hook)
    clone.git('push', '--quiet', '--force', 'origin', `refs/tags/${TAG}/production`)
    await sync()
    assert.deepEqual(await own(pair), { version: 'v1.1.0', reason: undefined, by: undefined })
  })

  test('goes to the version of --to, and refuses invalid ones', async () => {
    const pair = kv.pair()
    const policy = `["${NAME}"]\nrevoked = { "v1.1.0" = "leaks" }\n["${NAME}".live]\nalias = "canary"\n`
    // Production was at v1.1.0 before: that sync is refused, the next continues.
    const source = new Repo()
    for (const version of ['v1.0.0', 'v1.1.0', 'v1.2.0']) {
      source.commit({ [`${NAME}.md`]: version })
      source.version(NAME, version)
    }
    source.commit({ 'rollouts.toml': policy })
    source.slot(NAME, 'production', 'v1.2.0')
    source.slot(NAME, 'canary', 'v1.2.0')
    const flags = ['--local', kv.url, '--config', pair.config, '--repo', source.dir]
    assert.equal((await slotctl(['sync', ...flags])).code, 0)
    const before = await dump(pair)
    const refused = async (line, what, hint) => {
      const { code, stderr, json } = await slotctl(['rollback', ...line.split(' '), ...flags, '--json'], {
        env: gitEnv(),
      })
      assert.deepEqual([code, json.exit], [1, 1], stderr)
      assert.match(stderr, what)
      assert.match(stderr, hint)
    }
    await refused(`${NAME} production --to v1.2.0`, /it is v1\.2\.0 already/, /slotctl history/)
    await refused(`${NAME} production --to v1.1.0`, /v1\.1\.0 is revoked \(leaks\)/, /name another version/)
    await refused(`${NAME} production --to v3.0.0`, /KV has no such version/, /it has: v1\.2\.0, v1\.1\.0, v1\.0\.0/)
    await refused(`${NAME} prod --to v1.0.0`, /no such slot in KV/, /did you mean production\?/)
    await refused(`${NAME} qqqq --to v1.0.0`, /no such slot in KV/, /it has: canary, latest, live, production/)
    await refused(
      `${NAME} live --to v1.0.0`,
      /no version of its own/,
      /slotctl rollout prompts\/extraction live --alias/,
    )
    await refused(
      `${NAME} latest --to v1.0.0`,
      /it follows the releases/,
      /revoked = .*tag set prompts\/extraction latest/,
    )
    assert.deepEqual(await dump(pair), before)
    const done = await slotctl(['rollback', NAME, 'production', '--to', 'v1.0.0', ...flags, '--json'], {
      env: gitEnv(),
    })
    assert.equal(done.code, 0, done.stderr)
    assert.match(done.stderr, /no remote: there is nothing to push to/)
    assert.equal(versionOf(source), 'v1.0.0')
  })

  test('keeps a split, and applies to the slots that lead to this one', async () => {
    const pair = kv.pair()
    const policy = `["${NAME}".production]\nsplit = { canary = 10 }\n`
    const { sync, run } = await team(kv, pair, { policy })
    const split = async () =>
      (await pair.slots.json(PRODUCTION)).targets.map(({ slot, version, weight }) => `${slot} ${version} ${weight}`)
    await run(`rollback ${NAME} production`)
    assert.deepEqual(await split(), ['canary v1.2.0 10000', 'production v1.1.0 90000'])
    await sync()
    const { json } = await run(`rollback ${NAME} canary`, '--to', 'v1.0.0')
    assert.deepEqual(json.rollbacks[0].records, [`${NAME}@canary`, PRODUCTION])
    assert.deepEqual(await split(), ['canary v1.0.0 10000', 'production v1.1.0 90000'])
    assert.ok((await pair.slots.json(PRODUCTION)).hold)
    await sync()
    assert.equal((await pair.slots.json(PRODUCTION)).hold, undefined)
    assert.deepEqual(await split(), ['canary v1.0.0 10000', 'production v1.1.0 90000'])
  })

  test('keeps the hold if the push fails, and the printed commands finish the rollback', async () => {
    const pair = kv.pair()
    const { remote, clone, sync, run } = await team(kv, pair)
    const hook = path.join(remote.dir, 'hooks', 'pre-receive')
    writeFileSync(hook, '#!/bin/sh\necho "no pushes at night" >&2\nexit 1\n')
    chmodSync(hook, 0o755)
    const { code, json, stderr } = await run(`rollback ${NAME} production`)
    assert.equal(code, 1)
    assert.match(stderr, /no pushes at night/)
    assert.deepEqual(json.finish, [
      `slotctl tag set ${NAME} production v1.1.0 --repo ${clone.dir}`,
      `slotctl push --tags --force --repo ${clone.dir}`,
    ])
    assert.deepEqual([json.pushed, (await own(pair)).version], [false, 'v1.1.0'])
    // Git has v1.2.0: a sync keeps the record, and says so.
    const held = await sync(3)
    assert.deepEqual(
      held.held.map(({ key, wanted }) => [key, wanted]),
      [[PRODUCTION, 'v1.2.0']],
    )
    assert.equal((await own(pair)).version, 'v1.1.0')
    rmSync(hook)
    for (const command of json.finish) {
      const ended = await slotctl(command.split(' ').slice(1), { env: gitEnv() })
      assert.equal(ended.code, 0, ended.stderr)
    }
    assert.deepEqual((await sync()).held, [])
    assert.deepEqual(await own(pair), { version: 'v1.1.0', reason: undefined, by: undefined })
  })

  test('works in KV if the remote cannot be reached', async () => {
    const pair = kv.pair()
    const { clone, run } = await team(kv, pair)
    clone.git('remote', 'set-url', 'origin', '/nowhere')
    const { code, json, stderr } = await run(`rollback ${NAME} production`)
    assert.deepEqual([code, (await own(pair)).version, json.finish.length], [1, 'v1.1.0', 2])
    assert.match(stderr, /origin: cannot be reached/)
    assert.equal(versionOf(clone), 'v1.1.0', 'the tag is moved here')
  })

  test('from a stale clone, rolls back the current state of the remote', async () => {
    const pair = kv.pair()
    const { remote, clone, run } = await team(kv, pair)
    const stale = clone.git('rev-parse', `${TAG}/canary`)
    const colleague = remote.clone()
    colleague.slot(NAME, 'production', 'v1.0.0')
    colleague.slot(NAME, 'production', 'v1.2.0', 'Again')
    colleague.slot(NAME, 'canary', 'v1.1.0')
    colleague.git('push', '--quiet', '--force', 'origin', `refs/tags/${TAG}/production`, `refs/tags/${TAG}/canary`)
    const { code, stderr } = await run(`rollback ${NAME} production`)
    assert.equal(code, 0, stderr)
    assert.equal(versionOf(remote), 'v1.1.0')
    assert.equal(clone.git('rev-parse', `${TAG}/canary`), stale, 'nothing but the slot is fetched')
    assert.equal(remote.git('rev-parse', `${TAG}/canary`), colleague.git('rev-parse', `${TAG}/canary`))
  })

  test('rolls back every component with --all, and those of a type with --type', async () => {
    const pair = kv.pair()
    const names = [NAME, 'prompts/summary', 'queries/orders']
    const { remote, sync, run } = await team(kv, pair, { names })
    const typed = await run('rollback --all production --type prompts')
    assert.equal(typed.code, 0, typed.stderr)
    assert.deepEqual(
      typed.json.rollbacks.map(({ component }) => component),
      names.slice(0, 2),
    )
    assert.deepEqual(
      names.map((name) => versionOf(remote, name)),
      ['v1.1.0', 'v1.1.0', 'v1.2.0'],
    )
    const stopped = await run('rollback --all production', '--dry-run')
    assert.deepEqual(
      stopped.json.rollbacks.map(({ component }) => component),
      ['queries/orders'],
      'the others are on hold',
    )
    await sync()
    const all = await run('rollback --all production')
    assert.deepEqual(
      all.json.rollbacks.map(({ to }) => to),
      ['v1.0.0', 'v1.0.0', 'v1.1.0'],
    )
    await sync()
    const rest = await run('rollback --all production')
    assert.deepEqual([rest.code, rest.json.rollbacks.map(({ component }) => component)], [0, ['queries/orders']])
    assert.match(rest.stderr, /= prompts\/summary@production: left, no move to v1\.0\.0/)
    assert.equal((await run(`rollback --all nope`)).code, 1)
    assert.equal((await run(`rollback ${NAME} production --all production`)).code, 2)
  })
})

describe('slotctl rollback --resolver', () => {
  let server
  let config
  const folder = temporaryFolder('resolver')
  const token = 's3cret-read-token'
  const vars = { READ_TOKENS: JSON.stringify({ [sha256(token)]: ['*'] }) }
  before(async () => {
    config = path.join(folder, 'wrangler.toml')
    const bindings = ['SLOTS', 'COMPONENTS'].map(
      (name) => `[[kv_namespaces]]\nbinding = "${name}"\nid = "rollback-${name.toLowerCase()}"\n`,
    )
    writeFileSync(
      config,
      `name = "rollback"\nmain = ${JSON.stringify(inRoot('build', 'index.js'))}\ncompatibility_date = "2026-10-01"\n${bindings.join('')}\n[version_metadata]\nbinding = "CF_VERSION_METADATA"\n\n[vars]\nREAD_TOKENS = '${vars.READ_TOKENS}'\n`,
    )
    server = await startDev({ port: 0, config, persistTo: path.join(folder, 'state'), quiet: true, isolated: true })
  })
  after(() => server?.stop())

  test('polls with the read token until callers get the version, and never prints it', async () => {
    const pair = {
      config,
      slots: new Kv(server.url, 'rollback-slots'),
      components: new Kv(server.url, 'rollback-components'),
    }
    const { clone } = await team(server, pair)
    const headers = { authorization: `Bearer ${token}` }
    const get = async () =>
      (await fetch(`${server.url}/components/${PRODUCTION}`, { headers })).headers.get('component-version')
    assert.equal(await get(), 'v1.2.0')
    const rollback = (env, ...flags) =>
      slotctl(
        [
          'rollback',
          NAME,
          'production',
          ...flags,
          '--local',
          server.url,
          '--config',
          config,
          '--repo',
          clone.dir,
          '--json',
          '--resolver',
          server.url,
        ],
        { env: { ...gitEnv(), ...env } },
      )
    const { code, json, stdout, stderr } = await rollback({ RESOLVER_TOKEN: token })
    assert.equal(code, 0, stderr)
    assert.match(stderr, /prompts\/extraction@production: v1\.1\.0 is served \(.*\ncheck +1 slot by http/)
    assert.ok(json.seconds.served >= 0 && json.seconds.served < 60)
    assert.equal(await get(), 'v1.1.0')
    assert.ok(!(stdout + stderr).includes(token))

    for (const [to, wrong] of [
      ['v1.0.0', {}],
      ['v1.2.0', { RESOLVER_TOKEN: 'an0ther-token' }],
    ]) {
      const refused = await rollback(wrong, '--to', to)
      assert.equal(refused.code, 1, refused.stderr)
      assert.match(refused.stderr, /does not serve v1\.\d\.0 yet: it answers with status 40[13]\n.*RESOLVER_TOKEN/)
      assert.ok(!(refused.stdout + refused.stderr).includes('an0ther'))
    }
  })
})

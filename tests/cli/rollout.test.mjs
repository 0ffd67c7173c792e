import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

import { changedKeys, startKv } from './support/kv.mjs'
import { Repo, temporaryFolder } from './support/repo.mjs'
import { gitEnv, slotctl } from './support/slotctl.mjs'

const NAME = 'prompts/extraction'
const IDENTITY = {
  HOME: '/nonexistent',
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.com',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@example.com',
}
const FILE = 'rollouts.toml'

/** Three versions: production v1.0.0, canary v1.1.0, ring-1 v1.2.0, blue and green. */
function shop() {
  const repo = new Repo()
  for (const version of ['v1.0.0', 'v1.1.0', 'v1.2.0']) {
    repo.commit({ 'prompts/extraction.md': `Extract, ${version}.\n` })
    repo.version(NAME, version)
  }
  const slots = { production: 'v1.0.0', canary: 'v1.1.0', 'ring-1': 'v1.2.0', blue: 'v1.0.0', green: 'v1.1.0' }
  for (const [slot, version] of Object.entries(slots)) repo.slot(NAME, slot, version)
  return repo
}

const table = (slot, ...lines) => [`["${NAME}".${slot}]`, ...lines, ''].join('\n')
const split = (percent) => table('production', `split = { canary = ${percent} }`)

describe('rollouts.toml', () => {
  let kv
  before(async () => {
    kv = await startKv({ pairs: 16 })
  })
  after(() => kv?.stop())

  const sync = async (repo, pair, ...flags) => {
    const ended = await slotctl([
      'sync',
      '--local',
      kv.url,
      '--repo',
      repo.dir,
      '--config',
      pair.config,
      '--json',
      ...flags,
    ])
    return { ...ended, ...ended.json }
  }

  /** `canary v1.1.0 10000` for each target of a slot, `beta: ring-1 v1.2.0` for each segment. */
  const arms = async (pair, slot) => {
    const { targets, segments = {} } = await pair.slots.json(`${NAME}@${slot}`)
    return [
      ...targets.map(({ slot, version, weight }) => `${slot} ${version} ${weight}`),
      ...Object.entries(segments).map(([group, { slot, version }]) => `${group}: ${slot} ${version}`),
    ]
  }

  const keys = (writes) => writes.map(({ key }) => key)
  const SOLE = ['production v1.0.0 100000']
  const TEN = ['canary v1.1.0 10000', 'production v1.0.0 90000']

  test('splits a slot, describes changes of its shares, and git revert undoes them', async () => {
    const [repo, pair] = [shop(), kv.pair()]
    repo.commit({ [FILE]: split(10) })
    const first = await sync(repo, pair)
    assert.deepEqual([first.code, await arms(pair, 'production')], [0, TEN])
    assert.deepEqual([first.rollouts.branch, first.rollouts.found], ['main', true])
    repo.commit({ [FILE]: split(25) }, 'Send 25 % to canary')
    const second = await sync(repo, pair)
    assert.match(second.stderr, /production: canary v1\.1\.0 10 % → 25 %, production v1\.0\.0 90 % → 75 %/)
    const share = (percent) => ({ slot: 'canary', version: 'v1.1.0', percent })
    assert.deepEqual(second.plan.writes.slots[0].changes[0], {
      segment: null,
      from: share(10),
      to: share(25),
      words: 'canary v1.1.0 10 % → 25 %',
    })
    assert.deepEqual(await arms(pair, 'production'), ['canary v1.1.0 25000', 'production v1.0.0 75000'])
    repo.git('revert', '--no-edit', 'HEAD')
    assert.equal((await sync(repo, pair)).code, 0)
    assert.deepEqual(await arms(pair, 'production'), TEN)
    // At least a second later, as the file's last change has a time in seconds.
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    repo.git('revert', '--no-edit', 'HEAD~2')
    // The table is gone with it: callers would notice, so it has to be meant.
    const refused = await sync(repo, pair)
    assert.equal(refused.code, 1)
    assert.match(
      refused.stderr,
      /has no table for it any more, and callers would notice \(production v1\.0\.0 90 % → 100 %, canary v1\.1\.0 10 % → none\)/,
    )
    assert.deepEqual(await arms(pair, 'production'), TEN)
    assert.equal((await sync(repo, pair, '--dry-run', '--check')).code, 3)
    assert.equal((await sync(repo, pair, '--allow-policy-removal')).code, 0)
    assert.deepEqual(await arms(pair, 'production'), SOLE)
    assert.equal((await sync(repo, pair)).plan.empty, true)
  })

  test('verify points out a file that is nearly named rollouts.toml', async () => {
    const [repo, pair] = [shop(), kv.pair()]
    repo.commit({ 'Rollouts.toml': split(10) })
    assert.equal((await sync(repo, pair)).code, 0)
    const where = ['--local', kv.url, '--config', pair.config, '--repo', repo.dir]
    const { code, stderr } = await slotctl(['verify', ...where])
    assert.equal(code, 0, stderr)
    assert.match(stderr, /warning: Rollouts\.toml: is not read: /)
  })

  test('an empty table ends a split, and may be removed after the next sync', async () => {
    const [repo, pair] = [shop(), kv.pair()]
    repo.commit({ [FILE]: split(10) })
    assert.equal((await sync(repo, pair)).code, 0)
    repo.git('revert', '--no-edit', 'HEAD')
    const refused = await sync(repo, pair)
    assert.equal(refused.code, 1)
    // The printed command has to work where it is pasted.
    const [, pasted] = /with an empty table, `slotctl ([^`]+)`/.exec(refused.stderr)
    const stopped = await slotctl(pasted.split(' '), { env: { ...gitEnv(), ...IDENTITY } })
    assert.equal(stopped.code, 0, stopped.stderr)
    assert.equal(repo.git('show', `HEAD:${FILE}`), `["${NAME}".production]`)
    assert.equal((await sync(repo, pair)).code, 0)
    assert.deepEqual(await arms(pair, 'production'), SOLE)
    repo.git('rm', '--quiet', FILE)
    repo.git('commit', '--quiet', '--message', 'Clean up')
    const cleaned = await sync(repo, pair)
    assert.deepEqual([cleaned.code, cleaned.plan.empty], [0, true], cleaned.stderr)
  })

  test('applies as on the default branch, not as in the work tree or on a feature branch', async () => {
    const [repo, pair] = [shop(), kv.pair()]
    writeFileSync(path.join(repo.dir, FILE), split(10))
    await sync(repo, pair)
    assert.deepEqual(await arms(pair, 'production'), SOLE)
    repo.git('checkout', '--quiet', '-b', 'feature')
    repo.commit({ [FILE]: split(10) })
    assert.equal((await sync(repo, pair)).plan.empty, true)
    repo.git('checkout', '--quiet', 'main')
    repo.git('merge', '--quiet', 'feature')
    await sync(repo, pair)
    assert.deepEqual(await arms(pair, 'production'), TEN)
  })

  test('has no effect before it is pushed, and sync says so', async () => {
    const [origin, pair, dir] = [shop(), kv.pair(), path.join(temporaryFolder('clone'), 'clone')]
    origin.commit({ [FILE]: split(10) })
    origin.git('clone', '--quiet', origin.dir, dir)
    const clone = Object.assign(Object.create(Repo.prototype), { dir })
    clone.commit({ [FILE]: split(50) })
    const { code, rollouts, plan } = await sync(clone, pair)
    assert.deepEqual([code, rollouts.branch, await arms(pair, 'production')], [0, 'origin/main', TEN])
    const [{ subject, what, help }] = plan.warnings
    assert.deepEqual([subject, help], [FILE, `git -C ${dir} push origin main`])
    assert.match(what, /main has a change that origin\/main has not/)
  })

  test('moves the slots of a split: canary, production and one catalog', async () => {
    const [repo, pair] = [shop(), kv.pair()]
    repo.commit({ [FILE]: `${split(10)}segments = { beta = "ring-1" }\n` })
    await sync(repo, pair)
    assert.deepEqual(await arms(pair, 'production'), [...TEN, 'beta: ring-1 v1.2.0'])
    const before = { ...(await pair.slots.dump()), ...(await pair.components.dump()) }
    repo.slot(NAME, 'canary', 'v1.2.0')
    const { stderr } = await sync(repo, pair)
    assert.match(stderr, /@production: canary v1\.1\.0 → v1\.2\.0 at 10 %/)
    const now = { ...(await pair.slots.dump()), ...(await pair.components.dump()) }
    assert.deepEqual(changedKeys(before, now), [NAME, `${NAME}@canary`, `${NAME}@production`])
  })

  test('switches an alias, and the history names the commit', async () => {
    const [repo, pair] = [shop(), kv.pair()]
    repo.commit({ [FILE]: table('live', 'alias = "blue"') }, 'Begin with blue')
    await sync(repo, pair)
    repo.commit({ [FILE]: table('live', 'alias = "green"') }, 'Switch to green')
    const { code, stderr } = await sync(repo, pair)
    assert.equal(code, 0)
    assert.match(stderr, /@live: blue v1\.0\.0 → green v1\.1\.0/)
    assert.deepEqual(await arms(pair, 'live'), ['green v1.1.0 100000'])
    const { slots } = await pair.components.json(NAME)
    assert.deepEqual(
      slots.live.moves.map(({ from, to, author, why }) => [from, to, author, why]),
      [
        ['v1.0.0', 'v1.1.0', 'Ada', 'Switch to green'],
        [null, 'v1.0.0', 'Ada', 'Begin with blue'],
      ],
    )
  })

  test('revokes a version: the record is marked, latest skips it, no slot serves it', async () => {
    const [repo, pair] = [shop(), kv.pair()]
    repo.commit({ [FILE]: split(10) })
    await sync(repo, pair)
    repo.commit({ [FILE]: `${split(50)}["${NAME}"]\nrevoked = { "v1.2.0" = "leaks", "v1.1.0" = "rude" }\n` })
    const { code, stderr, plan } = await sync(repo, pair)
    assert.equal(code, 1)
    assert.equal((await pair.components.json(`${NAME}@v1.2.0`)).revoked, 'leaks')
    assert.deepEqual(await arms(pair, 'latest'), ['latest v1.0.0 100000'])
    // The slots were never on another version: they are gone, and their callers get production's.
    assert.deepEqual(await arms(pair, 'production'), ['canary v1.0.0 50000', 'production v1.0.0 50000'])
    assert.deepEqual((await pair.slots.json(`${NAME}@ring-1`)).gone, { version: 'v1.2.0', reason: 'leaks' })
    assert.deepEqual(
      plan.refused.map(({ subject }) => subject),
      [`${NAME}@canary`, `${NAME}@green`, `${NAME}@ring-1`, `${NAME}@production`],
    )
    assert.match(
      stderr,
      /ring-1: Git says v1\.2\.0, which is revoked \(leaks\): no version of the slot before it is good, so it answers 410/,
    )
    assert.match(
      stderr,
      /production: canary has no version that is good \(v1\.1\.0 is revoked\): its callers get v1\.0\.0/,
    )
    assert.deepEqual((await sync(repo, pair)).plan.empty, true)
  })

  test('puts a slot on a revoked version back on its last good one, on hold, until Git agrees', async () => {
    const [repo, pair] = [shop(), kv.pair()]
    await sync(repo, pair)
    repo.slot(NAME, 'production', 'v1.2.0', 'Release v1.2.0')
    await sync(repo, pair)
    repo.commit({ [FILE]: `["${NAME}"]\nrevoked = { "v1.2.0" = "leaks" }\n` }, 'Withdraw v1.2.0')
    const { code, stderr } = await sync(repo, pair)
    assert.equal(code, 1)
    assert.match(
      stderr,
      /production: Git says v1\.2\.0, which is revoked \(leaks\): v1\.0\.0 is served instead, on hold/,
    )
    assert.deepEqual(await arms(pair, 'production'), SOLE)
    assert.equal((await pair.slots.json(`${NAME}@production`)).hold.reason, 'v1.2.0 is revoked: leaks')
    const check = await sync(repo, pair, '--dry-run', '--check')
    assert.deepEqual([check.code, check.plan.empty], [3, true])
    assert.match(
      check.stderr,
      /to end the hold: slotctl tag set prompts\/extraction production v1\.0\.0 --repo \S+ && slotctl push/,
    )
    repo.slot(NAME, 'production', 'v1.0.0', 'Back to v1.0.0')
    await sync(repo, pair)
    assert.deepEqual(await arms(pair, 'production'), SOLE)
    assert.equal((await pair.slots.json(`${NAME}@production`)).hold, undefined)
  })

  test('reports every error with its line, and skips only its slot', async () => {
    const [repo, pair] = [shop(), kv.pair()]
    repo.commit({ [FILE]: split(10) })
    await sync(repo, pair)
    let version = 0
    for (const [line, mistake, what] of /** @type {[line: number, mistake: string, what: RegExp][]} */ ([
      [2, 'split = { canary = 110 }', /the share of canary is not a percentage/],
      [2, 'split = { canary = 60, blue = 50 }', /the shares of production add up to 110 %/],
      [2, 'split = { production = 10 }', /production leads back to itself/],
      [2, 'split = { "v1.1.0" = 10 }', /"v1\.1\.0" is not a slot/],
      [1, 'split = { nobody = 10 }', /has no slot nobody/],
      [1, 'split = { live = 10 }', /leads to live, which leads on/],
      [2, 'splti = { canary = 10 }', /no member "splti"/],
      [2, 'alias = 3', /alias is integer/],
      [1, 'alias = "blue"\nsplit = { canary = 1 }', /an alias and a split/],
    ])) {
      repo.slot(NAME, 'blue', `v1.${++version % 3}.0`)
      repo.commit({ [FILE]: table('production', mistake) + table('live', 'alias = "blue"') })
      const { code, plan, stderr } = await sync(repo, pair)
      assert.equal(code, 1, mistake)
      assert.equal(plan.refused[0].subject, `${FILE}:${line}`)
      assert.match(plan.refused[0].what, what)
      assert.ok(plan.refused[0].help)
      assert.match(stderr, new RegExp(`refused: rollouts\\.toml:${line}: `))
      assert.deepEqual(await arms(pair, 'production'), TEN, mistake)
      assert.deepEqual(await arms(pair, 'live'), [`blue v1.${version % 3}.0 100000`], 'the rest goes on')
    }
  })

  test('that is invalid changes no split, and everything else is synced', async () => {
    const [repo, pair] = [shop(), kv.pair()]
    repo.commit({ [FILE]: split(10) + table('live', 'alias = "blue"') })
    await sync(repo, pair)
    repo.slot(NAME, 'green', 'v1.2.0')
    repo.slot(NAME, 'production', 'v1.2.0')
    repo.commit({ [FILE]: `${split(10)}[oops\n` })
    const { code, plan } = await sync(repo, pair)
    assert.deepEqual([code, plan.refused[0].subject], [1, `${FILE}:3`])
    assert.deepEqual(keys(plan.writes.slots), [`${NAME}@green`])
    assert.deepEqual(await arms(pair, 'production'), TEN)
    repo.commit({ [FILE]: split(10) })
    await sync(repo, pair)
    assert.deepEqual(await arms(pair, 'production'), ['canary v1.1.0 10000', 'production v1.2.0 90000'])
  })
})

describe('slotctl rollout', () => {
  const rollout = (repo, ...args) => slotctl(['rollout', ...args, '--repo', repo.dir], { env: IDENTITY })
  const text = (repo) => readFileSync(path.join(repo.dir, FILE), 'utf8')

  test('edits, shows and commits only the file, and keeps its comments', async () => {
    const repo = shop()
    repo.commit({ [FILE]: `# Ours.\n\n${split(10)}# Live.\n${table('live', 'alias = "blue" # since May')}` })
    repo.git('rm', '--quiet', '--cached', 'prompts/extraction.md')
    const to = await rollout(repo, NAME, 'production', '--to', 'canary', '--percent', '25', '--commit')
    assert.equal(to.code, 0, to.stderr)
    assert.match(to.stdout, /^-split = \{ canary = 10 \}\n\+split = \{ canary = 25 \}$/m)
    assert.match(to.stderr, /canary v1\.1\.0 10 % → 25 %/)
    assert.equal(repo.git('log', '-1', '--format=%s'), `Send 25 % of ${NAME}@production to canary`)
    assert.equal(repo.git('show', '--name-only', '--format=', 'HEAD'), FILE)
    const alias = await rollout(repo, NAME, 'live', '--alias', 'green')
    assert.equal(alias.code, 0)
    const segment = await rollout(repo, NAME, 'production', '--to', 'ring-1', '--segment', 'beta')
    assert.equal(segment.code, 0)
    assert.equal(
      text(repo),
      `# Ours.\n\n${split(25)}segments = { beta = "ring-1" }\n# Live.\n${table('live', 'alias = "green" # since May')}`,
    )
    const stop = await rollout(repo, NAME, 'production', '--stop')
    assert.equal(stop.code, 0)
    assert.match(stop.stderr, /hint: commit and push it, then `slotctl sync --repo \S+`/)
    const live = `# Live.\n${table('live', 'alias = "green" # since May')}`
    assert.equal(text(repo), `# Ours.\n\n["${NAME}".production]\n${live}`)
    // The slot live has no version of its own.
    const remove = await rollout(repo, NAME, 'live', '--stop')
    assert.equal(remove.code, 0)
    assert.match(remove.stderr, /hint: commit and push it, then `slotctl sync --allow-policy-removal --repo \S+`/)
    assert.equal(text(repo), `# Ours.\n\n["${NAME}".production]\n`)
  })

  test('refuses what a sync would refuse', async () => {
    const repo = shop()
    repo.commit({ [FILE]: split(10) })
    for (const [args, message] of /** @type {[args: string[], message: RegExp][]} */ ([
      [['--to', 'nobody', '--percent', '5'], /refused: rollouts\.toml:1: .*has no slot nobody/],
      [['--to', 'canary', '--percent', '101'], /not a percentage/],
      [['--to', 'blue', '--percent', '95'], /add up to 105 %/],
      [['--to', 'production', '--percent', '5'], /leads back to itself/],
      [['--stop', '--to', 'blue'], /there is no entry for blue in the split of/],
    ])) {
      const { code, stderr } = await rollout(repo, NAME, 'production', ...args, '--commit')
      assert.equal(code, 1)
      assert.match(stderr, message)
      assert.equal(text(repo), split(10))
    }
    for (const args of [[NAME, 'production'], [], [NAME, 'production', '--percent', '5']]) {
      assert.equal((await rollout(repo, ...args)).code, 2)
    }
  })

  test('says what a percentage is', async () => {
    for (const text of ['ten', '10%', 'NaN']) {
      const { code, stderr } = await rollout(shop(), NAME, 'production', '--to', 'canary', '--percent', text)
      assert.equal(code, 2)
      assert.match(stderr, /expected a percentage: a number from 0 to 100, such as 10 or 0\.5/)
    }
  })

  test('shows who would move, before it writes', async () => {
    const repo = shop()
    repo.commit({ [FILE]: split(10) })
    const file = path.join(temporaryFolder('keys'), 'keys.txt')
    const users = Array.from({ length: 1000 }, (_, number) => `user-${number}`)
    writeFileSync(file, users.join('\n'))
    const dry = await rollout(
      repo,
      NAME,
      'production',
      '--to',
      'canary',
      '--percent',
      '25',
      '--dry-run',
      '--keys',
      file,
      '--json',
    )
    assert.equal(dry.code, 0, dry.stderr)
    const point = (user) => pointOf(NAME, user)
    const expected = users.filter((user) => point(user) >= 10_000 && point(user) < 25_000)
    const [{ key, keys, moved, moves }] = dry.json.slots
    assert.deepEqual([key, keys, moved], [`${NAME}@production`, 1000, expected.length])
    assert.deepEqual(moves[0].examples, expected.slice(0, 3))
    assert.equal(text(repo), split(10))
    writeFileSync(path.join(repo.dir, FILE), split(25))
    const plan = await rollout(repo, 'plan', '--keys', file, '--json')
    assert.deepEqual(plan.json.slots, dry.json.slots)
  })
})

describe('slotctl explain', () => {
  const { cases } = JSON.parse(readFileSync(new URL('../vectors/assignment.json', import.meta.url), 'utf8'))
  const explain = (repo, name, ...args) => slotctl(['explain', name, 'production', '--repo', repo.dir, ...args])

  test('agrees with the golden vectors', async () => {
    const repo = new Repo()
    const names = [...new Set(cases.map(({ component }) => component))].filter((name) => !name.startsWith('a/'))
    repo.commit({
      ...Object.fromEntries(names.map((name) => [`files/${name}.md`, 'x\n'])),
      [FILE]: names.map((name) => `["${name}".production]\nsplit = { canary = 50 }\n`).join(''),
    })
    for (const name of names) {
      const tag = (target, to, message) => repo.git('tag', '-a', '-m', message, `components/${name}/${target}`, to)
      tag('v1.0.0', 'HEAD', `v1.0.0\n\nComponent-Path: files/${name}.md`)
      for (const slot of ['production', 'canary']) tag(slot, `components/${name}/v1.0.0`, slot)
      const own = cases.filter(({ component }) => component === name)
      for (const { key, point } of own.filter(({ key }) => !key.includes('\0') && key.trim() !== '')) {
        const { code, json, stderr } = await explain(repo, name, `--key=${key}`, '--json')
        assert.equal(code, 0, stderr)
        assert.deepEqual([json.point, json.assignedSlot], [point, point < 50_000 ? 'canary' : 'production'])
        assert.equal(pointOf(name, key), point)
      }
    }
    assert.ok(names.length > 1)
  })

  test('prints the rule, the boundaries, and a table of shares for a file of keys', async () => {
    const repo = shop()
    repo.commit({ [FILE]: `${split(10)}segments = { beta = "ring-1" }\n` })
    const rule = async (...args) => {
      const { json } = await explain(repo, NAME, '--key', 'u1', '--json', ...args)
      return [json.assignment, json.version]
    }
    assert.deepEqual(await rule(), ['key', 'v1.0.0'])
    assert.deepEqual(await rule('--segment', 'beta'), ['segment', 'v1.2.0'])
    assert.deepEqual(await rule('--segment', 'beta', '--version', 'v1.1.0'), ['override', 'v1.1.0'])
    const words = await explain(repo, NAME, '--key', 'u1')
    assert.match(words.stderr, /Workers KV was not asked for a hold of the slot: name it with `--env` or `--local`/)
    assert.match(words.stdout, /by key, point 21689 of 100000/)
    assert.match(words.stdout, /^> production +v1\.0\.0 +90 % +10000 to below 100000$/m)
    const file = path.join(temporaryFolder('keys'), 'keys.txt')
    const users = Array.from({ length: 500 }, (_, number) => `user-${number}`)
    writeFileSync(file, users.join('\n'))
    const many = await explain(repo, NAME, '--keys', file)
    const rows = many.stdout
      .trim()
      .split('\n')
      .map((line) => line.split('\t'))
    assert.deepEqual(rows[0], ['key', 'assignment', 'point', 'slot', 'version'])
    for (const [key, , point, slot] of rows.slice(1)) {
      assert.equal(Number(point), pointOf(NAME, key))
      assert.equal(slot, point < 10_000 ? 'canary' : 'production')
    }
    const { json } = await explain(repo, NAME, '--keys', file, '--json')
    const canary = rows.filter(([, , , slot]) => slot === 'canary').length
    assert.deepEqual(
      json.shares.map(({ keys }) => keys),
      [canary, 500 - canary],
    )
  })

  test('reads a key as the resolver does: without spaces and tabs around it', async () => {
    const repo = shop()
    repo.commit({ [FILE]: split(10) })
    const { json } = await explain(repo, NAME, '--key', ' u1\t', '--json')
    assert.equal(json.point, pointOf(NAME, 'u1'))
    const file = path.join(temporaryFolder('keys'), 'keys.txt')
    writeFileSync(file, ' u1\n \t\n\nu2\t\r\n')
    const { json: many } = await explain(repo, NAME, '--keys', file, '--json')
    assert.deepEqual(
      many.keys.map(({ key }) => key),
      ['u1', 'u2'],
    )
    const none = await explain(repo, NAME, '--key', ' ')
    assert.deepEqual([none.code, none.stdout], [2, ''])
    assert.match(none.stderr, /an empty key counts as no key/)
  })

  test('fails if the named Workers KV cannot be asked, and goes on if none is named', async () => {
    const repo = shop()
    const args = ['explain', NAME, 'production', '--key', 'u1', '--repo', repo.dir, '--env', 'production']
    const named = await slotctl(args, { cwd: temporaryFolder('no-configuration') })
    assert.deepEqual([named.code, named.stdout], [2, ''])
    assert.match(named.stderr, /name the target/)
    const none = await explain(repo, NAME, '--key', 'u1', '--json')
    assert.deepEqual([none.code, none.json.holdKnown, none.json.hold], [0, false, null])
  })

  test('lists the slots if a slot is unknown', async () => {
    const { code, stderr } = await slotctl(['explain', NAME, 'nope', '--key', 'u', '--repo', shop().dir])
    assert.equal(code, 1)
    assert.match(stderr, /no such slot\n +hint: it has: blue, canary, green, latest, production, ring-1/)
  })
})

test('slotctl status draws every split, without colours if the output is not a terminal', async () => {
  const repo = shop()
  repo.commit({ [FILE]: split(10) })
  const { code, stdout } = await slotctl(['status', '--offline', '--repo', repo.dir])
  assert.equal(code, 0)
  assert.match(stdout, /^prompts\/extraction@production +██▒{18} {2}canary v1\.1\.0 10 %, production v1\.0\.0 90 %$/m)
  assert.ok(!stdout.includes('\u001b'))
})

/** The point of a caller, below 100,000: another implementation of MurmurHash3 x86 32. */
function pointOf(component, key) {
  const bytes = Buffer.from(`${component}\0${key}`)
  const [c1, c2] = [0xcc9e2d51, 0x1b873593]
  const rotate = (value, by) => (value << by) | (value >>> (32 - by))
  const scramble = (k) => Math.imul(rotate(Math.imul(k, c1), 15), c2)
  const whole = bytes.length & ~3
  let hash = 0
  for (let at = 0; at < whole; at += 4) {
    hash = (Math.imul(rotate(hash ^ scramble(bytes.readInt32LE(at)), 13), 5) + 0xe6546b64) | 0
  }
  let tail = 0
  for (let at = bytes.length - 1; at >= whole; at -= 1) tail = (tail << 8) | bytes[at]
  if (whole < bytes.length) hash ^= scramble(tail)
  hash ^= bytes.length
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return Number((BigInt((hash ^ (hash >>> 16)) >>> 0) * 100_000n) >> 32n)
}

describe('mistakes in rollouts.toml', () => {
  const run = (repo, ...args) => slotctl([...args, '--repo', repo.dir], { env: gitEnv() })
  const team = () => {
    const repo = new Repo()
    repo.commit({ 'prompts/x.md': 'x\n' })
    repo.version('prompts/x', 'v1.0.0')
    for (const slot of ['production', 'treatment']) repo.slot('prompts/x', slot, 'v1.0.0')
    return repo
  }

  test('rollout plan says that a slot with a mistyped target stays as it is', async () => {
    const repo = team()
    repo.commit({ 'rollouts.toml': '["prompts/x".production]\nsplit = { treatment = 10 }\n' })
    writeFileSync(path.join(repo.dir, 'rollouts.toml'), '["prompts/x".production]\nsplit = { treatmnt = 50 }\n')
    const planned = await run(repo, 'rollout', 'plan')
    assert.equal(planned.code, 1)
    assert.equal(planned.stdout, '', 'no caller moves')
    assert.match(planned.stderr, /prompts\/x has no slot treatmnt: the slot stays as it is\n.*Did you mean treatment\?/)
    assert.match(planned.stderr, /no caller gets another version until the mistakes are corrected/)
  })

  test('a file that is nearly named rollouts.toml is pointed out', async () => {
    for (const name of ['Rollouts.toml', 'rollout.toml', 'rollouts.tml']) {
      const repo = team()
      repo.commit({ [name]: '["prompts/x".production]\nsplit = { treatment = 10 }\n' })
      for (const command of [
        ['status', '--offline'],
        ['rollout', 'plan'],
        ['lint', temporaryFolder('project')],
      ]) {
        const { stderr } = await run(repo, ...command)
        assert.match(
          stderr,
          new RegExp(`warning: ${name}: is not read: .* has to be named rollouts\\.toml`),
          command[0],
        )
        assert.match(stderr, new RegExp(`git -C \\S+ mv ${name} rollouts\\.toml`))
      }
    }
    const other = team()
    other.commit({ 'release.toml': '', 'Cargo.toml': '' })
    assert.doesNotMatch((await run(other, 'status', '--offline')).stderr, /is not read/)
  })
})

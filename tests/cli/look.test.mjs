import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'

import { sha256, startKv } from './support/kv.mjs'
import { extractionRepo, Repo } from './support/repo.mjs'
import { gitEnv, slotctl } from './support/slotctl.mjs'

const EXTRACTION = 'prompts/extraction'
const PRODUCTION = `${EXTRACTION}@production`
const TAG = `components/${EXTRACTION}`

let kv
before(async () => {
  kv = await startKv({ pairs: 24 })
})
after(() => kv?.stop())

/** Runs a command with a repository and a pair of namespaces. */
const run = (command, repo, pair, ...flags) => {
  const where = ['--local', kv.url, '--config', pair.config]
  return slotctl([...command.split(' '), ...where, ...(repo ? ['--repo', repo.dir] : []), ...flags], { env: gitEnv() })
}

async function synced(...flags) {
  const [repo, pair] = [extractionRepo(), kv.pair()]
  const { code, stderr } = await run('sync', repo, pair, ...flags)
  assert.equal(code, 0, stderr)
  return { repo, pair }
}

describe('slotctl status', () => {
  test('shows what a sync would do: every slot, its split, the differences', async () => {
    const { repo, pair } = await synced()
    const same = await run('status', repo, pair, '--check')
    assert.deepEqual(
      [same.code, same.stdout],
      [
        0,
        [
          `${EXTRACTION}@latest      ████████████████████  latest v1.1.0`,
          `${PRODUCTION}  ████████████████████  production v1.0.0`,
          `${EXTRACTION}@staging     ████████████████████  staging v1.1.0`,
          '',
        ].join('\n'),
      ],
    )
    repo.slot(EXTRACTION, 'production', 'v1.1.0')
    repo.slot(EXTRACTION, 'canary', 'v1.1.0')
    repo.git('tag', '--delete', `${TAG}/staging`)
    repo.commit({ 'rollouts.toml': `["${EXTRACTION}".production]\nsplit = { canary = 10 }\n` })
    const drifted = await run('status', repo, pair, '--check')
    assert.equal(drifted.code, 3)
    assert.match(drifted.stdout, /@production +█+ {2}production v1\.0\.0 {2}≠ Git: canary v1\.1\.0 0 % → 10 %/)
    assert.match(drifted.stdout, /@canary +█+ {2}canary v1\.1\.0 {2}\+ not in KV yet/)
    assert.match(drifted.stdout, /@staging +█+ {2}staging v1\.1\.0 {2}= no tag has it/)
    assert.match(drifted.stderr, /drift: 2 slots, 1 catalog, 1 index to write\n +hint: slotctl sync/)
    assert.equal((await run('status', repo, pair)).code, 0, 'only --check asks')
    const { json } = await run('status', repo, pair, '--json', '--check', '--only', EXTRACTION)
    assert.deepEqual(
      json.slots.map(({ slot, state }) => [slot, state]),
      [
        ['canary', 'new'],
        ['latest', 'same'],
        ['production', 'drift'],
        ['staging', 'untagged'],
      ],
    )
    assert.deepEqual([json.drift, json.exit, json.pending.slots, json.pending.contents], [true, 3, 2, 0])
    const plan = (await run('sync', repo, pair, '--dry-run', '--json')).json.plan
    assert.deepEqual(json.slots[2].changes, plan.writes.slots.find(({ key }) => key === PRODUCTION).changes)
    await run('sync', repo, pair)
    assert.equal((await run('status', repo, pair, '--check')).code, 0)
  })

  test('sums up, and shows only the named slots or what differs', async () => {
    const { repo, pair } = await synced()
    const all = await run('status', repo, pair)
    assert.match(all.stderr, /^3 slots of 1 component: all as Git says$/m)
    assert.deepEqual((await run('status', repo, pair, '--drift')).stdout, '')
    repo.slot(EXTRACTION, 'production', 'v1.1.0')
    const drift = await run('status', repo, pair, '--drift')
    assert.match(drift.stdout, /^prompts\/extraction@production [^\n]*≠ Git[^\n]*\n$/)
    assert.match(drift.stderr, /^1 slot of 1 component: 1 not as Git says$/m)
    const { json } = await run('status', repo, pair, '--slot', 'staging', '--slot', 'latest', '--json', '--check')
    assert.deepEqual(
      [json.slots.map(({ slot }) => slot), json.summary.slots, json.drift, json.exit],
      [['latest', 'staging'], 2, true, 3],
    )
    const typo = await run('status', repo, pair, '--slot', 'prodution')
    assert.equal(typo.code, 1)
    assert.match(typo.stderr, /--slot prodution: no component has a slot[^\n]*\n[^\n]*slotctl status --slot production/)
  })

  test('draws no bars in a long list', async () => {
    const repo = extractionRepo()
    for (let at = 0; at < 110; at += 1) repo.slot(EXTRACTION, `ring-${at}`, 'v1.0.0')
    const { stdout, stderr } = await slotctl(['status', '--offline', '--repo', repo.dir])
    assert.match(stdout, /^prompts\/extraction@ring-7 +ring-7 v1\.0\.0$/m)
    assert.match(stderr, /^113 slots of 1 component$/m)
  })

  test('says that there are no slots and no tags', async () => {
    const repo = new Repo()
    repo.commit({ 'README.md': 'Nothing yet\n' })
    const offline = await slotctl(['status', '--offline', '--repo', repo.dir])
    assert.deepEqual([offline.code, offline.stdout], [0, ''])
    assert.match(offline.stderr, /There are no slots/)
    const online = await run('status', repo, kv.pair())
    assert.match(online.stderr, /There are no slots/)
    const list = await slotctl(['tag', 'list', '--repo', repo.dir])
    assert.deepEqual([list.code, list.stdout], [0, ''])
    assert.match(list.stderr, /There are no tags under components\//)
  })

  test('shows a hold and who made it', async () => {
    const { repo, pair } = await synced()
    const record = await pair.slots.json(PRODUCTION)
    record.hold = { reason: 'v1.1.0 leaks', by: 'Ada', at: '2026-11-21T09:00:00Z' }
    await pair.slots.put(PRODUCTION, JSON.stringify(record))
    repo.slot(EXTRACTION, 'production', 'v1.1.0')
    const { stdout } = await run('status', repo, pair)
    assert.match(stdout, /= held at v1\.0\.0, Git says v1\.1\.0 \(v1\.1\.0 leaks, by Ada/)
    const { json } = await run('status', repo, pair, '--json')
    const slot = json.slots.find(({ slot }) => slot === 'production')
    assert.deepEqual([slot.state, slot.hold, slot.wanted.targets[0].version], ['held', record.hold, 'v1.1.0'])
  })

  test('needs a target, or --offline', async () => {
    const repo = extractionRepo()
    const none = await slotctl(['status', '--repo', repo.dir])
    assert.deepEqual([none.code, /--local.*CLOUDFLARE_API_TOKEN/.test(none.stderr)], [2, true])
    const offline = await slotctl(['status', '--offline', '--repo', repo.dir, '--json'])
    assert.deepEqual(
      offline.json.slots.map(({ slot }) => slot),
      ['latest', 'production', 'staging'],
    )
    assert.equal((await slotctl(['status', '--offline', '--check', '--repo', repo.dir])).code, 2)
  })
})

describe('slotctl history', () => {
  test('lists every move: when, who, from, to, why', async () => {
    const { repo, pair } = await synced()
    repo.slot(EXTRACTION, 'production', 'v1.1.0', 'Release it')
    await run('sync', repo, pair)
    const { code, stdout } = await run(`history ${EXTRACTION} production`, null, pair)
    assert.equal(code, 0)
    const lines = stdout.trimEnd().split('\n')
    assert.equal(lines.length, 2)
    assert.match(
      lines[0],
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ {2}production {2}v1\.0\.0 → v1\.1\.0 {2}Grace {2}Release it$/,
    )
    assert.match(lines[1], /production {2}new → v1\.0\.0 {5}Grace {2}Set production to v1\.0\.0$/)
    const { json } = await run(`history ${EXTRACTION}`, null, pair, '--json')
    assert.equal(json.moves.length, 4, 'latest and staging too')
    const { slot, from, to, commit, author, why } = json.moves.find(({ from }) => from)
    assert.deepEqual(
      { slot, from, to, author, why },
      { slot: 'production', from: 'v1.0.0', to: 'v1.1.0', author: 'Grace', why: 'Release it' },
    )
    assert.equal(commit, repo.git('rev-parse', `${TAG}/v1.1.0^{commit}`))
  })

  test('lists what exists if a name is unknown', async () => {
    const { pair } = await synced()
    const slot = await run(`history ${EXTRACTION} beta`, null, pair)
    assert.deepEqual(
      [slot.code, /no such slot in KV\n +hint: it has: latest, production, staging/.test(slot.stderr)],
      [1, true],
    )
    const component = await run('history prompts/none', null, pair, '--json')
    assert.deepEqual([component.code, component.json.exit], [1, 1])
    assert.match(component.stderr, /prompts\/none: KV has no such component/)
  })
})

describe('slotctl verify', () => {
  test('reads all contents back: text and binary, large and small', async () => {
    const [repo, pair] = [extractionRepo(), kv.pair()]
    const contents = { 'small.bin': randomBytes(999), 'large.bin': randomBytes(2 << 20), 'empty.md': '' }
    repo.commit(Object.fromEntries(Object.entries(contents).map(([file, bytes]) => [`configs/${file}`, bytes])))
    for (const file of Object.keys(contents)) repo.version(`configs/${file.split('.')[0]}`, 'v1.0.0')
    await run('sync', repo, pair)
    await pair.components.put('sessions:1', "somebody else's")
    const { code, stderr } = await run('verify', repo, pair)
    assert.equal(code, 0, stderr)
    assert.match(stderr, /verify 6 slots, 5 versions, 4 catalogs, 5 contents, 2\.10 MB read back: no findings/)
    const { json } = await run('verify', repo, pair, '--json', '--only', EXTRACTION)
    assert.deepEqual([json.exit, json.findings], [0, []])
    assert.deepEqual(json.read, { slots: 3, versions: 2, catalogs: 1, contents: 2, bytes: 25 })
  })

  test('names every fault and what to do', async () => {
    const { repo, pair } = await synced()
    const [one, other] = ['Extract.\n', 'Extract it all.\n'].map((text) => `sha256/${sha256(text)}`)
    const record = await pair.components.json(`${EXTRACTION}@v1.1.0`)
    await pair.components.put(one, 'changed')
    await pair.components.delete(other)
    await pair.components.put(`${EXTRACTION}@v1.1.0`, JSON.stringify({ ...record, author: 'Mallory' }))
    await pair.slots.delete(`${EXTRACTION}@staging`)
    const { code, json, stderr } = await run('verify', repo, pair, '--json')
    assert.equal(code, 1)
    assert.match(
      stderr,
      /wrong: sha256\/[0-9a-f]{64}: it does not exist \(prompts\/extraction@.*names it\)\n +hint: `slotctl sync --local \S+ --config \S+ --repo \S+` rewrites it/,
    )
    assert.match(stderr, /6 findings/)
    assert.deepEqual(
      json.findings.map(({ subject }) => subject).sort(),
      [EXTRACTION, EXTRACTION, `${EXTRACTION}@v1.1.0`, 'index', one, other].sort(),
    )
    assert.ok(json.findings.every(({ help }) => help))
  })

  test('names a version that differs from Git', async () => {
    const { repo, pair } = await synced()
    repo.commit({ 'prompts/extraction.md': 'Rewritten.\n' })
    repo.version(EXTRACTION, 'v1.0.0', { force: true })
    const { code, stderr } = await run('verify', repo, pair)
    assert.equal(code, 1)
    assert.match(stderr, /wrong: prompts\/extraction@v1\.0\.0: KV has sha256:.*, Git has sha256:/)
  })
})

test('the read commands take an environment of wrangler.toml, and refuse an unknown one', async () => {
  const { repo, pair } = await synced('--env', 'staging')
  const commands = /** @type {[command: string, repo: import('./support/repo.mjs').Repo | null][]} */ ([
    ['status', repo],
    ['verify', repo],
    ['history prompts/extraction', null],
  ])
  for (const [command, where] of commands) {
    const { code, stderr } = await run(command, where, pair, '--env', 'staging')
    assert.equal(code, 0, `${command}: ${stderr}`)
  }
  commands.push(['rollback prompts/extraction production', repo])
  for (const [command, where] of commands) {
    const { code, stderr } = await run(command, where, pair, '--env', 'nowhere')
    assert.equal(code, 1, command)
    assert.match(stderr, /there is no environment `nowhere` \(there is `staging`\)/, command)
  }
})

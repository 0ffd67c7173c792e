import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

import { changedKeys, sha256, startKv } from './support/kv.mjs'
import { extractionRepo, Repo, temporaryFolder } from './support/repo.mjs'
import { slotctl } from './support/slotctl.mjs'

const MIB = 1 << 20

describe('slotctl sync', () => {
  let kv
  before(async () => {
    kv = await startKv()
  })
  after(() => kv?.stop())

  /** Runs `slotctl sync` on a repository and a pair of namespaces. */
  const sync = (repo, pair, ...flags) =>
    slotctl(['sync', '--local', kv.url, '--repo', repo.dir, '--config', pair.config, ...flags])

  /** The same, with the plan and the result as JSON. */
  const syncJson = async (repo, pair, ...flags) => {
    const ended = await sync(repo, pair, '--json', ...flags)
    return { ...ended, ...ended.json }
  }

  const dump = async (pair) => ({ ...(await pair.slots.dump()), ...(await pair.components.dump()) })

  const keys = (writes) => writes.map(({ key }) => key)

  describe('a first sync', () => {
    test('writes the whole shop to KV, byte for byte', async () => {
      const { repo, registry, truth } = shop()
      const pair = kv.pair()
      const { code, plan, result } = await syncJson(repo, pair, '--registry', registry)
      assert.equal(code, 0)
      assert.deepEqual([plan.refused, plan.kept, plan.deletions], [[], [], []])
      assert.equal(plan.logic.length, 5)
      let checked = 0
      for (const [name, { prefix, versions, slots }] of Object.entries(truth.components)) {
        const component = name.split('/').slice(1).join('/')
        if (prefix === 'logic') continue
        for (const [version, expected] of Object.entries(versions)) {
          const record = await pair.components.json(`${component}@${version}`)
          await assertServes(pair, record, expected, `${name}/${version}`)
          checked += 1
        }
        for (const [slot, expected] of Object.entries(slots)) {
          const { targets } = await pair.slots.json(`${component}@${slot}`)
          assert.equal(targets.length, 1)
          await assertServes(pair, targets[0], expected, `${name}/${slot}`)
          checked += 1
        }
      }
      assert.equal(checked, 26 + 26, 'all versions and slots that are not logic')
      assert.equal(result.written.catalogs, 20)
      assert.deepEqual(
        Object.keys(await pair.components.list()).filter((key) => /guard|triage/.test(key)),
        [],
      )
    })

    async function assertServes(pair, record, expected, what) {
      assert.deepEqual(
        [record.digest, record.sha, record.size],
        [expected.sha256, expected.commit, expected.size],
        what,
      )
      assert.equal(sha256(await pair.components.get(`sha256/${record.digest}`)), expected.sha256, what)
    }

    test('writes any bytes exactly', async () => {
      const contents = {
        'empty.md': '',
        'newlines.md': '\r\n\n\n',
        'bom.md': '\ufefftext',
        'at.md': '@file',
        'nul.bin': Buffer.from([0, 1, 0]),
        'invalid.bin': Buffer.from([0xff, 0xfe, 0xed, 0xa0, 0x80]),
        'controls.md': Buffer.from(Array.from({ length: 128 }, (_, byte) => byte)),
        'json.json': '{"key":"\\u0000 \\" \u2028"}',
        'inline.bin': randomBytes(MIB),
        'alone.bin': randomBytes(MIB + 1),
      }
      const repo = new Repo()
      repo.commit(Object.fromEntries(Object.entries(contents).map(([file, bytes]) => [`configs/${file}`, bytes])))
      for (const file of Object.keys(contents)) repo.version(`configs/${file.split('.')[0]}`, 'v1.0.0')
      const pair = kv.pair()
      assert.equal((await sync(repo, pair)).code, 0)
      for (const [file, bytes] of Object.entries(contents)) {
        const { digest } = await pair.components.json(`configs/${file.split('.')[0]}@v1.0.0`)
        assert.deepEqual(await pair.components.get(`sha256/${digest}`), Buffer.from(bytes), file)
      }
    })

    test('takes a file of 25 MiB and refuses a larger one, without stopping', async () => {
      const repo = new Repo()
      const [large, largest] = [randomBytes(24 * MIB), randomBytes(25 * MIB)]
      repo.commit({
        'configs/large.bin': large,
        'configs/largest.bin': largest,
        'configs/over.bin': Buffer.concat([largest, Buffer.from('x')]),
      })
      for (const name of ['large', 'largest', 'over']) repo.version(`configs/${name}`, 'v1.0.0')
      repo.slot('configs/over', 'production', 'v1.0.0')
      const pair = kv.pair()
      const { code, plan } = await syncJson(repo, pair)
      assert.equal(code, 1)
      assert.ok(
        plan.refused.some(({ what }) => /26214401|25 MiB/.test(what)),
        JSON.stringify(plan.refused),
      )
      for (const [name, bytes] of Object.entries({ large, largest })) {
        const { targets } = await pair.slots.json(`configs/${name}@latest`)
        assert.equal(sha256(await pair.components.get(`sha256/${targets[0].digest}`)), sha256(bytes))
      }
      assert.equal(await pair.slots.get('configs/over@production'), null)
      const again = await syncJson(repo, pair)
      assert.deepEqual([again.code, again.plan.empty], [1, true])
    })

    test('handles pages and batches of a thousand keys', async () => {
      const count = 1_010
      const repo = manyComponents(count)
      const pair = kv.pair()
      const first = await syncJson(repo, pair)
      assert.equal(first.code, 0)
      assert.deepEqual(first.result.written, {
        unreferenced: 0,
        contents: count,
        versions: count,
        slots: count,
        ranges: count,
        catalogs: count,
        indexes: 1,
      })
      const second = await syncJson(repo, pair)
      assert.deepEqual([second.plan.empty, second.plan.unchanged], [true, 5 * count + 1])
      // The namespaces' ids, five pages of components, two of slots, eleven bulk gets.
      assert.equal(second.result.calls, 1 + 5 + 2 + 11)
    })
  })

  describe('a second sync', () => {
    test('of an unchanged repository writes nothing, and says so', async () => {
      const [repo, pair] = [extractionRepo(), kv.pair()]
      const first = await syncJson(repo, pair)
      assert.deepEqual(first.result.written, {
        unreferenced: 0,
        contents: 2,
        versions: 2,
        slots: 3,
        ranges: 1,
        catalogs: 1,
        indexes: 1,
      })
      const before = await dump(pair)
      const { code, plan, result, stderr } = await syncJson(repo, pair)
      assert.deepEqual([code, plan.empty, plan.unchanged], [0, true, 10])
      assert.match(stderr, /nothing to write, 10 keys up to date/)
      assert.equal(result.calls, 4)
      assert.deepEqual(await dump(pair), before)
    })

    test('reads no file from Git that KV has', async () => {
      const [repo, pair] = [extractionRepo(), kv.pair()]
      assert.equal((await sync(repo, pair)).code, 0)
      forgetBlobs(repo)
      const second = await syncJson(repo, pair)
      assert.equal(second.code, 0, second.stderr)
      assert.deepEqual([second.plan.empty, second.plan.warnings], [true, []])
      repo.slot('prompts/extraction', 'production', 'v1.1.0')
      const moved = await syncJson(repo, pair)
      assert.deepEqual([moved.code, moved.result.written.slots, moved.plan.warnings], [0, 1, []])
      const { targets } = await pair.slots.json('prompts/extraction@production')
      assert.equal(targets[0].version, 'v1.1.0')
      // A content that KV has lost is read from Git again.
      await pair.components.delete('prompts/extraction@v1.0.0')
      const lost = await syncJson(repo, pair)
      assert.match(lost.stderr, /the content of prompts\/extraction\.md \([0-9a-f]{40}\) cannot be read in this clone/)
    })

    test('keeps the path that KV records for a version, whatever a registry says later', async () => {
      const repo = new Repo()
      repo.commit({ 'prompts/a.md': 'by convention\n', 'other/a.md': 'by a registry\n' })
      repo.version('prompts/a', 'v1.0.0')
      const pair = kv.pair()
      assert.equal((await sync(repo, pair)).code, 0)
      const registry = path.join(temporaryFolder('registry'), 'components.json')
      writeFileSync(registry, JSON.stringify({ components: { a: { path: 'other/a.md', type: 'prompt' } } }))
      const before = await dump(pair)
      const { code, stderr } = await sync(repo, pair, '--registry', registry)
      assert.equal(code, 0, stderr)
      assert.match(stderr, /nothing to write/)
      assert.deepEqual(changedKeys(before, await dump(pair)), [])
    })

    test('after one moved slot writes its record and the catalog', async () => {
      const [repo, pair] = [extractionRepo(), kv.pair()]
      await sync(repo, pair)
      const before = await dump(pair)
      repo.slot('prompts/extraction', 'production', 'v1.1.0', 'Release it')
      const { code, plan, result, stderr } = await syncJson(repo, pair)
      assert.equal(code, 0)
      assert.match(stderr, /prompts\/extraction@production: v1\.0\.0 → v1\.1\.0/)
      const share = (version) => ({ slot: 'production', version, percent: 100 })
      const change = {
        segment: null,
        from: share('v1.0.0'),
        to: share('v1.1.0'),
        words: 'production v1.0.0 → v1.1.0',
      }
      assert.deepEqual(plan.writes, {
        unreferenced: [],
        contents: [],
        versions: [],
        slots: [{ key: 'prompts/extraction@production', from: 'v1.0.0', to: 'v1.1.0', changes: [change] }],
        ranges: [],
        catalogs: [{ key: 'prompts/extraction' }],
        indexes: [],
      })
      assert.deepEqual(result.checked.sort(), ['prompts/extraction', 'prompts/extraction@production'])
      assert.deepEqual(changedKeys(before, await dump(pair)), ['prompts/extraction', 'prompts/extraction@production'])
      const { slots } = await pair.components.json('prompts/extraction')
      const moves = slots.production.moves.map(({ from, to, author, why }) => ({ from, to, author, why }))
      assert.deepEqual(moves, [
        { from: 'v1.0.0', to: 'v1.1.0', author: 'Grace', why: 'Release it' },
        { from: null, to: 'v1.0.0', author: 'Grace', why: 'Set production to v1.0.0' },
      ])
    })

    test('keeps and reports records without a tag', async () => {
      const [repo, pair] = [extractionRepo(), kv.pair()]
      await sync(repo, pair)
      repo.git('tag', '--delete', 'components/prompts/extraction/staging')
      const { code, plan, stderr } = await syncJson(repo, pair)
      assert.deepEqual([code, plan.empty, plan.kept], [0, true, ['prompts/extraction@staging']])
      assert.match(stderr, /= prompts\/extraction@staging: no tag has it, kept/)
    })
  })

  describe('a version', () => {
    test('never changes: it is refused, its slot is kept, everything else is synced', async () => {
      const [repo, pair] = [extractionRepo(), kv.pair()]
      await sync(repo, pair)
      const before = await dump(pair)
      const commit = repo.commit({ 'prompts/extraction.md': 'Rewritten.\n' })
      repo.version('prompts/extraction', 'v1.0.0', { force: true })
      repo.slot('prompts/extraction', 'production', 'v1.0.0')
      repo.version('prompts/extraction', 'v1.2.0')
      const { code, plan, stderr } = await syncJson(repo, pair)
      assert.equal(code, 1)
      assert.match(stderr, /refused: prompts\/extraction@v1\.0\.0: a version never changes/)
      assert.deepEqual(
        plan.refused.map(({ subject }) => subject),
        ['prompts/extraction@v1.0.0'],
      )
      assert.deepEqual(
        plan.warnings.map(({ subject }) => subject),
        ['prompts/extraction@production'],
      )
      const now = await dump(pair)
      assert.equal(now['prompts/extraction@v1.0.0'], before['prompts/extraction@v1.0.0'])
      assert.equal(JSON.parse(now['prompts/extraction@production']).targets[0].version, commit)
      assert.equal(JSON.parse(now['prompts/extraction@latest']).targets[0].version, 'v1.2.0')
      const again = await syncJson(repo, pair)
      assert.deepEqual([again.code, again.plan.empty, again.plan.kept], [1, true, []])
    })

    test('whose tag was made again on the same content is updated', async () => {
      const [repo, pair] = [extractionRepo(), kv.pair()]
      await sync(repo, pair)
      const commit = repo.commit({ 'prompts/extraction.md': 'Extract.\n' })
      repo.version('prompts/extraction', 'v1.0.0', { force: true })
      repo.slot('prompts/extraction', 'production', 'v1.0.0')
      const { code, plan } = await syncJson(repo, pair)
      assert.deepEqual([code, keys(plan.writes.versions)], [0, ['prompts/extraction@v1.0.0']])
      assert.equal((await pair.components.json('prompts/extraction@v1.0.0')).sha, commit)
    })
  })

  describe('a record in KV', () => {
    test('on hold is kept until Git agrees', async () => {
      const [repo, pair] = [extractionRepo(), kv.pair()]
      await sync(repo, pair)
      const key = 'prompts/extraction@production'
      const held = await pair.slots.json(key)
      held.hold = { reason: 'v1.1.0 leaks', by: 'Ada', at: '2026-11-21T09:00:00Z' }
      await pair.slots.put(key, JSON.stringify(held))
      repo.slot('prompts/extraction', 'production', 'v1.1.0')
      const left = await syncJson(repo, pair)
      assert.deepEqual([left.code, left.plan.held[0].key, left.plan.held[0].wanted], [3, key, 'v1.1.0'])
      assert.match(left.stderr, /held at v1\.0\.0, Git says v1\.1\.0 \(v1\.1\.0 leaks, by Ada/)
      assert.deepEqual(await pair.slots.json(key), held)
      repo.slot('prompts/extraction', 'production', 'v1.0.0')
      const lifted = await syncJson(repo, pair)
      assert.deepEqual([keys(lifted.plan.writes.slots), lifted.plan.held], [[key], []])
      assert.equal((await pair.slots.json(key)).hold, undefined)
    })

    test('that is invalid is replaced, with a warning', async () => {
      const [repo, pair] = [extractionRepo(), kv.pair()]
      await sync(repo, pair)
      const before = await dump(pair)
      await pair.slots.put('prompts/extraction@production', Buffer.from([0xff, 0x1b, 0x5b]))
      await pair.components.put('prompts/extraction@v1.0.0', 'null')
      await pair.components.delete(`sha256/${sha256('Extract.\n')}`)
      const { code, plan, stderr } = await syncJson(repo, pair)
      assert.deepEqual([code, plan.warnings.length, plan.writes.contents.length], [0, 2, 1])
      assert.ok(!stderr.includes('\u001b'))
      assert.deepEqual(changedKeys(before, await dump(pair)), [])
    })

    test('of a later format is never overwritten', async () => {
      const [repo, pair] = [extractionRepo(), kv.pair()]
      await sync(repo, pair)
      await pair.slots.put('prompts/extraction@production', '{"format":2,"slot":"production"}')
      const before = await dump(pair)
      repo.slot('prompts/extraction', 'staging', 'v1.0.0')
      const { code, plan, stderr } = await syncJson(repo, pair)
      assert.deepEqual([code, plan.empty], [1, true])
      assert.match(stderr, /a record of format 2, this slotctl writes format 1/)
      assert.match(stderr, /hint: update slotctl/)
      assert.deepEqual(await dump(pair), before)
    })

    test('that slotctl did not write is left alone', async () => {
      const [repo, pair] = [extractionRepo(), kv.pair()]
      await pair.components.put('sessions:1', 'x')
      const { code, plan } = await syncJson(repo, pair)
      assert.deepEqual([code, plan.foreign], [0, [{ namespace: 'COMPONENTS', key: 'sessions:1' }]])
      assert.equal((await pair.components.get('sessions:1')).toString(), 'x')
    })
  })

  describe('--dry-run', () => {
    test('writes nothing; with --check, exits with 3 if there is something to write', async () => {
      const [repo, pair] = [extractionRepo(), kv.pair()]
      const dry = await sync(repo, pair, '--dry-run')
      assert.equal(dry.code, 0)
      assert.match(dry.stderr, /\+ prompts\/extraction@production: new, v1\.0\.0/)
      assert.match(
        dry.stderr,
        /2 contents, 2 versions, 3 slots, 1 ranges record, 1 catalog, 1 index to write, nothing written/,
      )
      assert.equal((await sync(repo, pair, '--dry-run', '--check')).code, 3)
      assert.deepEqual(await dump(pair), {})
      await sync(repo, pair)
      assert.equal((await sync(repo, pair, '--dry-run', '--check')).code, 0)
    })

    test('prints the plan that a sync then executes', async () => {
      const [repo, pair] = [extractionRepo(), kv.pair()]
      const dry = await syncJson(repo, pair, '--dry-run')
      const done = await syncJson(repo, pair)
      assert.deepEqual(dry.plan, done.plan)
    })
  })

  describe('the output', () => {
    test('with --json is one object on stdout, with messages on stderr', async () => {
      const [repo, pair] = [extractionRepo(), kv.pair()]
      const { json } = await sync(repo, pair, '--json')
      assert.deepEqual(Object.keys(json).sort(), [
        'command',
        'dryRun',
        'exit',
        'head',
        'plan',
        'result',
        'rollouts',
        'schema',
        'source',
        'target',
      ])
      assert.deepEqual(Object.keys(json.plan).sort(), [
        'blocked',
        'deletions',
        'empty',
        'foreign',
        'held',
        'kept',
        'logic',
        'refused',
        'unchanged',
        'unreferenced',
        'warnings',
        'writes',
      ])
      assert.deepEqual(Object.keys(json.result).sort(), [
        'bytes',
        'calls',
        'checked',
        'deleted',
        'seconds',
        'spared',
        'written',
      ])
      assert.deepEqual([json.command, json.dryRun, json.exit], ['sync', false, 0])
      assert.equal(json.head, repo.git('rev-parse', 'HEAD'))
      assert.equal(json.target.slots, pair.ids.slots)
      const plain = await sync(repo, pair)
      assert.deepEqual([plain.stdout, plain.stderr.includes('\u001b')], ['', false])
    })
  })

  describe('a repository', () => {
    test('without tags has nothing to sync, unless KV has components', async () => {
      const [empty, full, pair] = [new Repo(), extractionRepo(), kv.pair()]
      empty.commit({ 'README.md': 'Nothing here.\n' })
      assert.equal((await sync(empty, pair)).code, 0)
      await sync(full, pair)
      const { code, stderr, json } = await syncJson(empty, pair)
      assert.equal(code, 1)
      assert.match(stderr, /no component that can be served.*does its remote have the tags/s)
      assert.match(json.error.what, /no component that can be served/)
    })

    test('that does not exist is an error that names it', async () => {
      const { code, stderr } = await sync({ dir: temporaryFolder('none') }, kv.pair())
      assert.equal(code, 1)
      assert.match(stderr, /error: cannot read the repository .*slotctl-none-/)
    })
  })

  describe('a target', () => {
    test('that wrangler dev does not have is refused before anything is written', async () => {
      const [repo, pair, folder] = [extractionRepo(), kv.pair(), temporaryFolder('config')]
      const config = path.join(folder, 'wrangler.toml')
      writeFileSync(config, readFileSync(pair.config, 'utf8').replace(pair.ids.slots, 'other'))
      const { code, stderr } = await sync(repo, { config })
      assert.equal(code, 1)
      assert.match(stderr, /has no namespace "other", it has: .*started with another configuration/s)
    })

    test('that cannot be reached is an error that says what to do', async () => {
      const args = [
        'sync',
        '--local',
        'http://127.0.0.1:9',
        '--repo',
        extractionRepo().dir,
        '--config',
        kv.pair().config,
      ]
      const { code, stderr, json } = await slotctl([...args, '--json'])
      assert.deepEqual([code, json.exit], [1, 1])
      assert.match(stderr, /error: GET http:\/\/127\.0\.0\.1:9\/.*no answer: .*\(tried 5 times\)/)
      assert.match(stderr, /hint: is `wrangler dev` running there\?/)
    })
  })
})

/** The repository that the real edgit made, and the contents that it must serve. */
function shop() {
  const fixture = (name) => new URL(`../fixtures/${name}`, import.meta.url).pathname
  const dir = path.join(temporaryFolder('shop'), 'shop.git')
  new Repo().git('clone', '--quiet', '--mirror', fixture('shop.bundle'), dir)
  const truth = JSON.parse(readFileSync(fixture('shop.truth.json'), 'utf8'))
  return { repo: { dir }, registry: fixture('shop.components.json'), truth }
}

/** Creates many components, each with one version, in one commit. */
function manyComponents(count) {
  const repo = new Repo()
  const names = Array.from({ length: count }, (_, number) => `c${number}`)
  const commit = repo.commit(Object.fromEntries(names.map((name) => [`prompts/${name}.md`, `I am ${name}.\n`])))
  const updates = names.map((name) => `create refs/tags/components/prompts/${name}/v1.0.0 ${commit}\n`)
  repo.gitWith(updates.join(''), 'update-ref', '--stdin')
  return repo
}

/** Removes the contents of files from a repository, as in a partial clone. */
function forgetBlobs(repo) {
  const objects = repo.git('cat-file', '--batch-all-objects', '--batch-check').trim().split('\n')
  for (const [id, kind] of objects.map((line) => line.split(' '))) {
    if (kind === 'blob') rmSync(path.join(repo.dir, '.git', 'objects', id.slice(0, 2), id.slice(2)))
  }
}

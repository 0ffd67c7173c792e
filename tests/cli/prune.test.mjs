import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { changedKeys, sha256, startKv } from './support/kv.mjs'
import { extractionRepo, Repo } from './support/repo.mjs'
import { gitEnv, slotctl } from './support/slotctl.mjs'

const EXTRACTION = 'prompts/extraction'
const TAG = `components/${EXTRACTION}`

describe('slotctl sync', () => {
  let kv
  before(async () => {
    kv = await startKv()
  })
  after(() => kv?.stop())

  const sync = async (repo, pair, ...flags) => {
    const args = ['sync', '--local', kv.url, '--repo', repo.dir, '--config', pair.config, '--json', ...flags]
    const ended = await slotctl(args, { env: gitEnv() })
    return { ...ended, ...ended.json }
  }

  const dump = async (pair) => ({ ...(await pair.slots.dump()), ...(await pair.components.dump()) })

  /** Two components; `prompts/shared` has the content of extraction v1.0.0. */
  function twoComponents() {
    const repo = extractionRepo()
    repo.commit({ 'prompts/shared.md': 'Extract.\n' })
    repo.version('prompts/shared', 'v1.0.0')
    return repo
  }

  const content = (text) => `sha256/${sha256(text)}`
  const unreferenced = (text) => `${content(text)}@unreferenced`

  /** The time this many hours ago, in the format of records. */
  const ago = (hours) => new Date(Date.now() - hours * 3_600_000).toISOString().replace(/\.\d+/, '')

  /** Makes a content unreferenced since this long; `value` is read later than the listing. */
  async function age(pair, text, hours, { value = hours } = {}) {
    const pairs = [
      {
        key: unreferenced(text),
        value: JSON.stringify({ format: 1, since: ago(value) }),
        metadata: { since: ago(hours) },
      },
    ]
    const init = { method: 'PUT', body: JSON.stringify(pairs), headers: { 'Content-Type': 'application/json' } }
    const response = await fetch(`${pair.components.base}/bulk`, init)
    assert.ok(response.ok, await response.text())
  }

  describe('--prune', () => {
    test('deletes slots and versions without a tag, and contents a day later', async () => {
      const [repo, pair] = [twoComponents(), kv.pair()]
      await sync(repo, pair)
      const before = await dump(pair)
      repo.git('tag', '--delete', `${TAG}/staging`, `${TAG}/v1.1.0`)
      const first = await sync(repo, pair, '--prune')
      assert.equal(first.code, 0)
      assert.deepEqual(first.plan.deletions, [`${EXTRACTION}@staging`, `${EXTRACTION}@v1.1.0`])
      assert.match(first.stderr, /- prompts\/extraction@staging/)
      assert.match(first.stderr, /1 content that no record names; each is deleted a day later/)
      assert.match(first.stderr, /2 keys deleted/)
      assert.deepEqual(changedKeys(before, await dump(pair)), [
        'index',
        EXTRACTION,
        `${EXTRACTION}@latest`,
        `${EXTRACTION}@ranges`,
        `${EXTRACTION}@staging`,
        `${EXTRACTION}@v1.1.0`,
        unreferenced('Extract it all.\n'),
      ])
      const catalog = await pair.components.json(EXTRACTION)
      assert.deepEqual(
        catalog.versions.map(({ version }) => version),
        ['v1.0.0'],
      )
      assert.equal((await sync(repo, pair, '--prune')).plan.empty, true)

      await age(pair, 'Extract it all.\n', 23)
      assert.equal((await sync(repo, pair, '--prune')).plan.empty, true)
      await age(pair, 'Extract it all.\n', 25)
      assert.equal((await sync(repo, pair)).plan.empty, true, 'only with --prune')
      const late = await sync(repo, pair, '--prune')
      assert.deepEqual(late.plan.deletions, [content('Extract it all.\n'), unreferenced('Extract it all.\n')])
      assert.equal(await pair.components.get(content('Extract it all.\n')), null)
      assert.ok(await pair.components.get(content('Extract.\n')))
      assert.equal((await sync(repo, pair, '--prune')).plan.empty, true)
    })

    test('keeps a shared content while a component uses it', async () => {
      const [repo, pair] = [twoComponents(), kv.pair()]
      await sync(repo, pair)
      repo.git('tag', '--delete', 'components/prompts/shared/v1.0.0')
      const { code, plan } = await sync(repo, pair, '--prune')
      assert.deepEqual([code, plan.unreferenced], [0, []])
      assert.deepEqual(plan.deletions, [
        'prompts/shared',
        'prompts/shared@ranges',
        'prompts/shared@latest',
        'prompts/shared@v1.0.0',
      ])
      assert.deepEqual((await pair.components.json('index')).components, [EXTRACTION])
    })

    test('keeps a content that another sync has started to use', async () => {
      const [repo, pair] = [twoComponents(), kv.pair()]
      await sync(repo, pair)
      repo.git('tag', '--delete', `${TAG}/staging`, `${TAG}/v1.1.0`)
      await sync(repo, pair, '--prune')
      // The other sync renewed the record after this one's listing.
      await age(pair, 'Extract it all.\n', 25, { value: 0 })
      const { code, result, stderr } = await sync(repo, pair, '--prune')
      assert.deepEqual([code, result.spared, result.deleted], [0, [content('Extract it all.\n')], 0])
      assert.match(stderr, /1 content left: another sync needs it since/)
      assert.ok(await pair.components.get(content('Extract it all.\n')))
    })

    test('deletes more than half only with --allow-mass-delete', async () => {
      const [repo, pair] = [twoComponents(), kv.pair()]
      await sync(repo, pair)
      const before = await dump(pair)
      const other = new Repo()
      other.commit({ 'prompts/shared.md': 'Extract.\n' })
      other.version('prompts/shared', 'v1.0.0')
      const refused = await sync(other, pair, '--prune')
      assert.equal(refused.code, 1)
      assert.match(refused.stderr, /refused: sync: 5 of the 7 slots and versions in KV would be deleted/)
      assert.match(refused.stderr, /hint: is it the right repository.*--prune --allow-mass-delete/)
      assert.match(refused.plan.blocked, /5 of the 7/)
      assert.deepEqual(await dump(pair), before)
      const empty = new Repo()
      empty.commit({ 'README.md': 'Nothing here.\n' })
      assert.equal((await sync(empty, pair, '--prune')).code, 1)
      assert.deepEqual(await dump(pair), before)
      assert.equal((await sync(empty, pair, '--allow-mass-delete')).plan.deletions.length, 0, 'without --prune')
      const unrelated = await sync(empty, pair, '--prune', '--allow-mass-delete')
      assert.equal(unrelated.code, 1)
      assert.match(unrelated.stderr, /KV was synced from the commit [0-9a-f]{7}, which is not in the history/)
      assert.deepEqual(await dump(pair), before)
      const meant = await sync(empty, pair, '--prune', '--allow-mass-delete', '--allow-older')
      assert.deepEqual([meant.code, meant.plan.deletions.length], [0, 11])
      assert.deepEqual(Object.keys(await pair.slots.list()), [])
    })

    test('keeps records whose tag this clone cannot read', async () => {
      const [repo, pair] = [twoComponents(), kv.pair()]
      await sync(repo, pair)
      const shallow = new Repo()
      shallow.git(
        'fetch',
        '--quiet',
        '--depth=1',
        `file://${repo.dir}`,
        `+refs/tags/components/prompts/shared/*:refs/tags/components/prompts/shared/*`,
      )
      // The tags exist, but not their commits: an interrupted clone.
      for (const name of ['v1.0.0', 'v1.1.0', 'production', 'staging']) {
        const object = repo.git('rev-parse', `${TAG}/${name}`)
        shallow.gitWith(
          `${repo.git('cat-file', 'tag', object)}\n`,
          'hash-object',
          '-t',
          'tag',
          '-w',
          '--stdin',
          '--literally',
        )
        shallow.gitWith(`create refs/tags/${TAG}/${name} ${object}\n`, 'update-ref', '--stdin')
      }
      const { code, plan } = await sync(shallow, pair, '--prune', '--dry-run')
      assert.deepEqual([plan.deletions, plan.blocked], [[], null])
      assert.equal(code, 1, 'what can not be served is refused')
    })
  })

  describe('--only', () => {
    test('touches no other component, and keeps the index correct', async () => {
      const [repo, pair] = [twoComponents(), kv.pair()]
      const first = await sync(repo, pair, '--only', EXTRACTION)
      assert.equal(first.code, 0)
      assert.deepEqual(
        Object.keys(await pair.components.list()).filter((key) => /shared/.test(key)),
        [],
      )
      assert.deepEqual((await pair.components.json('index')).components, [EXTRACTION])
      const second = await sync(repo, pair, '--only', EXTRACTION)
      assert.equal(second.plan.empty, true)
      // The namespaces, the runs of others, two listings, the slots, the catalog with the index.
      assert.equal(second.result.calls, 6)
      await sync(repo, pair, '--only', 'prompts/shared')
      assert.deepEqual((await pair.components.json('index')).components, [EXTRACTION, 'prompts/shared'])
      assert.equal((await sync(repo, pair)).plan.empty, true, 'as a sync of everything leaves it')

      await pair.slots.delete('prompts/shared@latest')
      repo.slot(EXTRACTION, 'production', 'v1.1.0')
      repo.git('tag', '--delete', `${TAG}/staging`)
      const before = await dump(pair)
      const third = await sync(repo, pair, '--only', EXTRACTION, '--prune')
      assert.deepEqual(third.plan.deletions, [`${EXTRACTION}@staging`])
      assert.deepEqual(changedKeys(before, await dump(pair)), [
        'index',
        EXTRACTION,
        `${EXTRACTION}@production`,
        `${EXTRACTION}@staging`,
      ])
      const both = await sync(repo, pair, '--only', EXTRACTION, '--only', 'prompts/shared')
      assert.deepEqual(
        both.plan.writes.slots.map(({ key }) => key),
        ['prompts/shared@latest'],
      )
    })

    test('with --prune deletes no content, as others may use it', async () => {
      const [repo, pair] = [twoComponents(), kv.pair()]
      await sync(repo, pair)
      repo.git('tag', '--delete', `${TAG}/staging`, `${TAG}/v1.1.0`)
      const { plan } = await sync(repo, pair, '--only', EXTRACTION, '--prune')
      assert.deepEqual([plan.deletions.length, plan.unreferenced], [2, []])
      assert.deepEqual(
        (await sync(repo, pair, '--prune')).plan.unreferenced.map(({ key }) => key),
        [content('Extract it all.\n')],
      )
    })

    test('refuses an unknown component, and does not match longer names', async () => {
      const [repo, pair] = [twoComponents(), kv.pair()]
      const unknown = await sync(repo, pair, '--only', 'prompts/extractoin')
      assert.equal(unknown.code, 1)
      assert.match(unknown.stderr, /refused: prompts\/extractoin: this component exists neither in Git nor in KV/)
      repo.commit({ 'prompts/extraction/deep.md': 'Deep.\n' })
      repo.version('prompts/extraction/deep', 'v1.0.0')
      await sync(repo, pair, '--only', EXTRACTION)
      assert.equal(await pair.components.get('prompts/extraction/deep'), null)
    })
  })

  describe('--allow-changed-version', () => {
    test('allows the content of the named version to change', async () => {
      const [repo, pair] = [twoComponents(), kv.pair()]
      await sync(repo, pair)
      repo.commit({ 'prompts/extraction.md': 'Rewritten.\n' })
      repo.version(EXTRACTION, 'v1.0.0', { force: true })
      repo.slot(EXTRACTION, 'production', 'v1.0.0')
      assert.equal((await sync(repo, pair, '--dry-run')).code, 1)
      const { code, stderr } = await sync(repo, pair, '--allow-changed-version', `${EXTRACTION}@v1.0.0`)
      assert.equal(code, 0)
      assert.match(stderr, /warning: prompts\/extraction@v1\.0\.0: its content changes, as was allowed/)
      const { targets } = await pair.slots.json(`${EXTRACTION}@production`)
      assert.deepEqual([targets[0].version, targets[0].digest], ['v1.0.0', sha256('Rewritten.\n')])
      assert.deepEqual([(await sync(repo, pair)).plan.empty, (await sync(repo, pair)).code], [true, 0])
      assert.equal((await sync(repo, pair, '--allow-changed-version', 'v1.0.0')).code, 2)
    })
  })
})

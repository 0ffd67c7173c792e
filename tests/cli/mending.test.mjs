import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { startKv } from './support/kv.mjs'
import { Repo } from './support/repo.mjs'
import { gitEnv, slotctl } from './support/slotctl.mjs'

const NAMES = ['configs/b', 'prompts/a', 'tools/c']
const GARBAGE = '{"format":1,"versi'

/** Three components, each with two versions; `production` was moved from the first to the second. */
function threeComponents() {
  const repo = new Repo()
  repo.commit({ 'configs/b.json': '{"b":1}', 'prompts/a.md': 'A 1.\n', 'tools/c.js': 'c(1)\n' })
  for (const name of NAMES) repo.version(name, 'v1.0.0')
  for (const name of NAMES) repo.slot(name, 'production', 'v1.0.0')
  return repo
}

function promote(repo) {
  repo.commit({ 'configs/b.json': '{"b":2}', 'prompts/a.md': 'A 2.\n', 'tools/c.js': 'c(2)\n' })
  for (const name of NAMES) repo.version(name, 'v1.1.0')
  for (const name of NAMES) repo.slot(name, 'production', 'v1.1.0')
}

/** All of KV: values with their metadata. */
async function save({ slots, components }) {
  const saved = {}
  for (const namespace of [slots, components]) {
    for (const [key, metadata] of Object.entries(await namespace.list())) {
      saved[key] = { value: String(await namespace.get(key)), metadata }
    }
  }
  return saved
}

describe('damage in Workers KV', () => {
  let kv
  let base
  before(async () => {
    kv = await startKv({ pairs: 16 })
    base = threeComponents()
  })
  after(() => kv?.stop())

  const run = (command, repo, pair, ...flags) => {
    const where = ['--local', kv.url, '--config', pair.config, '--repo', repo.dir, '--json']
    return slotctl([...command.split(' '), ...where, ...flags], { env: gitEnv() })
  }

  async function synced() {
    const [repo, pair] = [base.clone(), kv.pair()]
    repo.git('remote', 'remove', 'origin')
    assert.equal((await run('sync', repo, pair)).code, 0)
    promote(repo)
    assert.equal((await run('sync', repo, pair)).code, 0)
    return { repo, pair, whole: await save(pair) }
  }

  const damage = ({ pair: { components }, whole }, key, value = GARBAGE) => {
    const { metadata } = whole[key]
    return metadata ? components.putWith(key, value, metadata) : components.put(key, value)
  }

  const contentOf = ({ whole }, name) => `sha256/${JSON.parse(whole[`${name}@production`].value).targets[0].digest}`

  for (const [what, keyOf, value] of /** @type {[string, (state: any) => string, ((value: string) => string)?][]} */ ([
    ['a version record', () => 'prompts/a@v1.1.0'],
    [
      'the digest in a version record',
      () => 'prompts/a@v1.0.0',
      (value) => value.replace(/"digest":"../, '"digest":"00'),
    ],
    ['a catalog record', () => 'prompts/a'],
    [
      'a move in a catalog record',
      () => 'prompts/a',
      (value) => value.replace('"versions":[{', '"versions":[],"x":[{'),
    ],
    ['the index', () => 'index', () => '{"format":1,"components":[]}'],
    ['a slot in the index', () => 'index', (value) => value.replace('"production"', '"staging"')],
    ['a content', (state) => contentOf(state, 'prompts/a'), () => 'Anything.\n'],
  ])) {
    test(`${what} that is damaged behind its metadata is written again`, async () => {
      const state = await synced()
      const { repo, pair, whole } = state
      const key = keyOf(state)
      await damage(state, key, value?.(whole[key].value))
      const found = await run('verify', repo, pair)
      assert.equal(found.code, 1, found.stderr)
      const findings = found.json.findings.filter(({ subject }) => subject === key)
      assert.ok(findings.length > 0, found.stderr)
      for (const { help } of findings) assert.match(help, /slotctl sync --repair/)

      const planned = await run('sync', repo, pair, '--repair', '--dry-run', '--check')
      assert.equal(planned.code, 3, planned.stderr)
      const repaired = await run('sync', repo, pair, '--repair')
      assert.equal(repaired.code, 0, repaired.stderr)
      assert.match(repaired.stderr, /\d+ records and \d+ contents: 1 damaged key/)
      const now = await save(pair)
      if (what === 'a catalog record') {
        // The moves were in the damaged record alone.
        for (const catalog of [now, whole]) {
          const record = JSON.parse(catalog[key].value)
          for (const slot of Object.values(record.slots)) delete slot.moves
          catalog[key].value = record
        }
      }
      assert.deepEqual(now, whole)
      const [verified, again] = [await run('verify', repo, pair), await run('sync', repo, pair, '--repair')]
      assert.deepEqual([verified.code, again.code, again.json.plan.empty], [0, 0, true], verified.stderr)
    })
  }

  test('a part is repaired alone', async () => {
    const state = await synced()
    const { repo, pair, whole } = state
    for (const name of ['prompts/a', 'configs/b']) {
      await damage(state, `${name}@v1.0.0`)
      await damage(state, contentOf(state, name), 'Anything.\n')
    }
    const { code, stderr } = await run('sync', repo, pair, '--repair', '--only', 'prompts/a')
    assert.equal(code, 0, stderr)
    const now = await save(pair)
    const differing = Object.keys(whole).filter((key) => now[key].value !== whole[key].value)
    assert.deepEqual(differing.sort(), ['configs/b@v1.0.0', contentOf(state, 'configs/b')].sort())
  })

  test('what Git does not have is named, and the rest is repaired', async () => {
    const state = await synced()
    const { repo, pair, whole } = state
    repo.git('tag', '--delete', 'components/tools/c/v1.0.0')
    await damage(state, 'tools/c@v1.0.0')
    await damage(state, 'prompts/a@v1.0.0')
    const { code, stderr } = await run('sync', repo, pair, '--repair')
    assert.equal(code, 1)
    assert.match(stderr, /refused: tools\/c@v1\.0\.0: it is damaged, and no tag in Git says what it should be/)
    assert.equal(String(await pair.components.get('prompts/a@v1.0.0')), whole['prompts/a@v1.0.0'].value)
  })

  test('one damaged record does not stop the rollback of the other components', async () => {
    const state = await synced()
    const { repo, pair } = state
    await damage(state, 'prompts/a')
    const versions = async () =>
      Promise.all(NAMES.map(async (name) => (await pair.slots.json(`${name}@production`)).targets[0].version))
    const all = await run('rollback --all production', repo, pair)
    assert.equal(all.code, 1)
    assert.match(
      all.stderr,
      /refused: prompts\/a: the record in KV cannot be used: malformed record: .*\n\s+hint: .*slotctl sync --repair/,
    )
    assert.deepEqual(
      all.json.refused.map(({ subject }) => subject),
      ['prompts/a'],
    )
    assert.deepEqual(await versions(), ['v1.0.0', 'v1.1.0', 'v1.0.0'])
    const alone = await run('rollback prompts/a production', repo, pair)
    assert.equal(alone.code, 1)
    assert.equal((await run('sync', repo, pair, '--repair')).code, 0)
    const repaired = await run('rollback prompts/a production --to v1.0.0', repo, pair)
    assert.equal(repaired.code, 0, repaired.stderr)
    assert.deepEqual(await versions(), ['v1.0.0', 'v1.0.0', 'v1.0.0'])
  })
})

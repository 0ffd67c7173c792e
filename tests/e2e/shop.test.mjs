// Does what `npm start` does with the whole shop: a real sync of a repository that the real edgit made,
// served by the built Worker in `wrangler dev`, and compared with the contents in Git.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { startDev } from '../../scripts/lib/dev-server.mjs'
import { temporaryFolder } from '../cli/support/repo.mjs'
import { slotctl } from '../cli/support/slotctl.mjs'

const fixtures = fileURLToPath(new URL('../fixtures/', import.meta.url))
const truth = JSON.parse(readFileSync(path.join(fixtures, 'shop.truth.json'), 'utf8'))
const registry = path.join(fixtures, 'shop.components.json')
const served = Object.values(truth.components).filter(({ prefix }) => prefix === 'components')
const logic = Object.values(truth.components).filter(({ prefix }) => prefix === 'logic')

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex')

/** The version of a slot: its tag's, the highest at its commit, or the commit. */
const versionOf = (slot) => slot.version ?? slot.versions_at_commit.at(-1) ?? slot.commit

describe('the shop, end to end', () => {
  const folder = temporaryFolder('shop')
  const repo = path.join(folder, 'repo')
  const git = (...args) => execFileSync('git', ['-C', repo, ...args], { encoding: 'utf8', stdio: 'pipe' })
  let server
  const sync = () => slotctl(['sync', '--local', server.url, '--repo', repo, '--registry', registry, '--json'])

  before(async () => {
    execFileSync('git', ['clone', '--quiet', path.join(fixtures, 'shop.bundle'), repo], { stdio: 'pipe' })
    // The tags that this test moves count, not those of the bundle.
    execFileSync('git', ['-C', repo, 'remote', 'remove', 'origin'], { stdio: 'pipe' })
    const persistTo = path.join(folder, 'state')
    server = await startDev({ port: 0, persistTo, quiet: true, isolated: true })
  })
  after(() => server?.stop())

  const get = (address, init) => fetch(`${server.url}/components/${address}`, init)

  async function serves(address, expected, version) {
    const answer = await get(address)
    assert.equal(answer.status, 200, address)
    const bytes = Buffer.from(await answer.arrayBuffer())
    assert.equal(sha256(bytes), expected.sha256, address)
    assert.equal(bytes.length, expected.size, address)
    assert.equal(answer.headers.get('etag'), `"${expected.sha256}"`)
    assert.equal(answer.headers.get('component-commit'), expected.commit, address)
    assert.equal(answer.headers.get('component-version'), version, address)
    return answer
  }

  test('the first sync writes everything and reports the logic', async () => {
    const { code, json, stderr } = await sync()
    assert.equal(code, 0, stderr)
    const tags = logic.flatMap(({ versions, slots }) => [...Object.keys(versions), ...Object.keys(slots)])
    assert.equal(json.plan.logic.length, tags.length)
  })

  for (const { type, name, versions, slots } of served) {
    test(`${type}/${name} is served byte for byte`, async () => {
      for (const [version, expected] of Object.entries(versions)) {
        const exact = await serves(`${type}/${name}@${version}`, expected, version)
        assert.match(exact.headers.get('cache-control'), /immutable/)
      }
      for (const [slot, expected] of Object.entries(slots)) {
        const answer = await serves(`${type}/${name}@${slot}`, expected, versionOf(expected))
        assert.equal(answer.headers.get('component-slot'), slot)
        assert.equal(answer.headers.get('cache-control'), 'no-cache')
        const etag = answer.headers.get('etag')
        const again = await get(`${type}/${name}@${slot}`, { headers: { 'if-none-match': etag } })
        assert.equal(again.status, 304)
      }
    })
  }

  test('logic is not served', async () => {
    for (const { type, name } of logic) assert.equal((await get(`${type}/${name}@v1.0.0`)).status, 404)
  })

  test('the catalog lists every component', async () => {
    const { components } = /** @type {any} */ (await (await fetch(`${server.url}/catalog`)).json())
    const names = served.map(({ type, name }) => `${type}/${name}`).sort()
    assert.deepEqual(
      components.map(({ name }) => name),
      names,
    )
  })

  test('a second sync writes nothing', async () => {
    const { code, json } = await sync()
    assert.equal(code, 0)
    assert.ok(json.plan.empty)
    assert.ok(Object.values(json.result.written).every((count) => count === 0))
  })

  test('moving a slot with git is one small write, and moving it back restores the old version', async () => {
    const { versions } = truth.components['components/prompts/extraction']
    const move = (version) =>
      git(
        '-c',
        'user.name=E',
        '-c',
        'user.email=e@example.com',
        'tag',
        '--force',
        'components/prompts/extraction/production',
        `components/prompts/extraction/${version}`,
      )
    for (const version of ['v1.1.0', 'v1.0.0']) {
      move(version)
      const { code, json } = await sync()
      assert.equal(code, 0)
      const keys = Object.values(json.plan.writes)
        .flat()
        .map(({ key }) => key)
      assert.deepEqual(keys.sort(), ['prompts/extraction', 'prompts/extraction@production'])
      assert.deepEqual([json.result.written.slots, json.result.written.catalogs], [1, 1])
      await serves('prompts/extraction@production', versions[version], version)
    }
  })
})

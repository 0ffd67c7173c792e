import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

import { startKv } from '../cli/support/kv.mjs'
import { extractionRepo, Repo, temporaryFolder } from '../cli/support/repo.mjs'
import { gitEnv, slotctl } from '../cli/support/slotctl.mjs'
import { startHost, startSilence } from './support/host.mjs'
import { users } from './support/shapes.mjs'

const NAME = 'prompts/extraction'
const TAG = `components/${NAME}`

describe('a remote', () => {
  let kv
  before(async () => {
    kv = await startKv({ pairs: 16 })
  })
  after(() => kv?.stop())

  const run = (command, repo, pair, flags = [], env = {}) => {
    const where = ['--local', kv.url, '--config', pair.config, '--repo', repo.dir, '--json']
    return slotctl([...command.split(' '), ...where, ...flags], { env: gitEnv(env) })
  }

  const versionOf = async (pair, slot) => (await pair.slots.json(`${NAME}@${slot}`)).targets[0].version

  /** A remote, its colleague who pushes to it, and a clone of it. */
  function team() {
    const remote = extractionRepo().publish()
    return { remote, colleague: remote.clone(), clone: remote.clone() }
  }

  const push = (repo, ...refspecs) => repo.git('push', '--quiet', '--force', 'origin', 'HEAD', '--tags', ...refspecs)

  test('that says nothing stops what writes or promises, not what only looks', async () => {
    const silence = await startSilence()
    try {
      const [{ clone, remote }, pair] = [team(), kv.pair()]
      assert.equal((await run('sync', remote, pair)).code, 0)
      clone.git('remote', 'set-url', 'origin', silence.url)
      const soon = { SLOTCTL_TIMEOUT: '1' }
      for (const flags of [[], ['--prune', '--dry-run'], ['--dry-run', '--check']]) {
        const { code, stderr, json } = await run('sync', clone, pair, flags, soon)
        assert.equal(code, 1, stderr)
        assert.match(stderr, /refused: origin: it did not answer.*nothing for 1 s\n +hint: .*--local-refs/)
        assert.match(json.error.what, /did not answer/)
      }
      for (const command of ['status --check', 'verify']) {
        assert.equal((await run(command, clone, pair, [], soon)).code, 1, command)
      }
      for (const command of ['status', 'sync --dry-run', `rollback ${NAME} staging --to v1.0.0 --dry-run`]) {
        const { code, stderr, json } = await run(command, clone, pair, [], soon)
        assert.equal(code, 0, stderr)
        assert.match(stderr, /warning: origin: it did not answer, so that this goes by the refs of this clone/)
        assert.deepEqual([json.source.refs, json.source.reason], ['local', 'no-answer'])
      }
      const forced = await run('sync', clone, pair, ['--local-refs'], soon)
      assert.equal(forced.code, 0, forced.stderr)
      assert.match(forced.stderr, /git +this clone alone \(main at [0-9a-f]{7}\), 4 tags: /)
      // An emergency does not wait for it, but says that the tag is not moved there.
      const rollback = await run(`rollback ${NAME} staging --to v1.0.0`, clone, pair, [], soon)
      assert.deepEqual([rollback.code, await versionOf(pair, 'staging')], [1, 'v1.0.0'], rollback.stderr)
      const latest = await run(`rollback ${NAME} latest --to v1.0.0`, clone, pair, [], soon)
      assert.match(latest.stderr, /not known whether it has a tag\n +hint: .*--local-refs/)
    } finally {
      silence.stop()
    }
  })

  test('that refuses, is gone or names a program is said without its password', async () => {
    const [{ clone }, pair] = [team(), kv.pair()]
    for (const url of ['http://reader:hunter2@127.0.0.1:9/x.git', '/nowhere']) {
      clone.git('remote', 'set-url', 'origin', url)
      const { code, stderr, stdout } = await run('sync', clone, pair)
      assert.equal(code, 1)
      assert.ok(!`${stdout}${stderr}`.includes('hunter2'), stderr)
    }
    const marker = path.join(temporaryFolder('marker'), 'ran')
    const program = await run('sync', clone, pair, ['--remote', `ext::sh -c touch% ${marker}`])
    assert.deepEqual([program.code, existsSync(marker)], [1, false])
    assert.match(program.stderr, /transport 'ext' not allowed/)
    const unknown = await run('sync', clone, pair, ['--remote', 'upstream'])
    assert.match(unknown.stderr, /refused: upstream: the repository has no such remote\n +hint: it has: origin/)
    assert.deepEqual(await pair.slots.list(), {})
  })

  test("is asked with the user's credentials, and no program of Git gets a token of ours", async () => {
    const [{ clone, remote }, pair] = [team(), kv.pair()]
    const host = await startHost(remote.dir, { password: 'hunter2' })
    try {
      const seen = path.join(temporaryFolder('env'), 'env')
      const helper = `!f() { env > '${seen}'; echo username=reader; echo password=hunter2; }; f`
      // As actions/checkout leaves it: in a file that only this folder includes.
      const file = path.join(temporaryFolder('credentials'), 'config')
      clone.git('config', '--file', file, 'credential.helper', helper)
      clone.git('config', `includeIf.gitdir:${clone.dir}/.git.path`, file)
      clone.git('remote', 'set-url', 'origin', host.url)
      clone.git('tag', '--delete', ...clone.git('tag', '--list').split('\n'))
      const secrets = { CLOUDFLARE_API_TOKEN: 'cf-secret', RESOLVER_TOKEN: 'reader-secret' }
      const { code, stderr, json } = await run('sync', clone, pair, [], secrets)
      assert.equal(code, 0, stderr)
      assert.deepEqual([json.source.remote, json.source.url, json.source.tags], ['origin', host.url, 4])
      assert.ok(!/cf-secret|reader-secret/.test(readFileSync(seen, 'utf8')))
    } finally {
      host.stop()
    }
  })

  test('without news costs one question, also for a clone that lacks everything', async () => {
    const [{ remote, colleague }, pair] = [team(), kv.pair()]
    colleague.commit({ 'rollouts.toml': `["${NAME}".production]\nsplit = { staging = 10 }\n` })
    colleague.commit({ 'README.md': 'More.\n' })
    push(colleague)
    const clone = new Repo(temporaryFolder('clone'))
    clone.git('clone', '--quiet', '--depth=1', '--no-tags', `file://${remote.dir}`, '.')
    const host = await startHost(remote.dir)
    try {
      clone.git('remote', 'set-url', 'origin', host.url)
      const before = users(clone)
      assert.equal((await run('sync', clone, pair)).code, 0)
      assert.ok(host.requests.some(({ command }) => command === 'fetch'))
      host.requests.length = 0
      const { code, json } = await run('sync', clone, pair)
      assert.deepEqual([code, json.plan.empty], [0, true])
      assert.deepEqual(
        host.requests.map(({ command }) => command),
        [undefined, 'ls-refs'],
      )
      assert.deepEqual(users(clone), before)
    } finally {
      host.stop()
    }
  })

  test('keeps `latest` and a promotion that a clone does not know', async () => {
    const [{ remote, colleague, clone }, pair] = [team(), kv.pair()]
    colleague.commit({ 'prompts/extraction.md': 'Two.\n' })
    colleague.version(NAME, 'v2.0.0')
    colleague.slot(NAME, 'production', 'v2.0.0')
    push(colleague)
    assert.equal((await run('sync', colleague, pair)).code, 0)
    // A backport, synced from a clone of its tag alone.
    colleague.git('checkout', '--quiet', '-b', 'backport', `${TAG}/v1.1.0`)
    colleague.commit({ 'prompts/extraction.md': 'One, mended.\n' })
    colleague.version(NAME, 'v1.1.1')
    push(colleague)
    const backport = new Repo(temporaryFolder('clone'))
    backport.git('clone', '--quiet', '--depth=1', `--branch=${TAG}/v1.1.1`, `file://${remote.dir}`, '.')
    assert.equal((await run('sync', backport, pair)).code, 0)
    assert.deepEqual([await versionOf(pair, 'latest'), await versionOf(pair, 'production')], ['v2.0.0', 'v2.0.0'])
    assert.ok((await pair.components.list())[`${NAME}@v1.1.1`])
    // A workspace that was used before, and pruned.
    const old = await run('sync', clone, pair, ['--prune'])
    assert.deepEqual([old.code, old.json.plan.deletions], [0, []], old.stderr)
    assert.equal(await versionOf(pair, 'production'), 'v2.0.0')
  })

  test('recreated without tags takes none of the clone', async () => {
    const [{ remote, clone }, pair] = [team(), kv.pair()]
    assert.equal((await run('sync', clone, pair)).code, 0)
    for (const tag of remote.git('tag', '--list').split('\n')) remote.git('tag', '--delete', tag)
    const before = users(clone)
    const { code, stderr } = await run('sync', clone, pair, ['--fetch', '--prune'])
    assert.equal(code, 1, stderr)
    assert.match(stderr, /--fetch has no effect any more/)
    assert.match(stderr, /has no component that can be served/)
    assert.deepEqual(users(clone), before)
    assert.equal(await versionOf(pair, 'production'), 'v1.0.0')
  })

  test('names tags that were moved here and not pushed, with the command', async () => {
    const [{ clone, colleague }, pair] = [team(), kv.pair()]
    assert.equal((await run('sync', colleague, pair)).code, 0)
    clone.commit({ 'prompts/extraction.md': 'Mine.\n' })
    clone.version(NAME, 'v1.2.0')
    const set = ['tag', 'set', NAME, 'production', 'v1.1.0', '--repo', clone.dir]
    assert.equal((await slotctl(set, { env: gitEnv() })).code, 0)
    const { code, json } = await run('sync', clone, pair, ['--dry-run'])
    assert.deepEqual([code, json.plan.empty], [0, true])
    const told = json.plan.warnings.map(({ subject, help }) => [subject, help.split(';')[0]])
    assert.deepEqual(told, [
      [`${TAG}/production`, `slotctl push --tags --force --repo ${clone.dir}`],
      [`${TAG}/v1.2.0`, `slotctl push --tags --repo ${clone.dir}`],
    ])
    const own = await run('sync', clone, pair, ['--dry-run', '--local-refs'])
    assert.equal(own.json.plan.writes.versions.length, 1)
  })

  test('a rollouts.toml in the folder that --repo names is pointed out', async () => {
    const [{ clone }, pair] = [team(), kv.pair()]
    const folder = path.join(clone.dir, 'packages', 'ai')
    mkdirSync(folder, { recursive: true })
    writeFileSync(path.join(folder, 'rollouts.toml'), '')
    const { code, json } = await run('sync', { dir: folder }, pair)
    assert.equal(code, 0)
    const [{ subject, what }] = json.plan.warnings
    assert.equal(subject, 'packages/ai/rollouts.toml')
    assert.match(what, /the rollouts\.toml at the root of the repository counts/)
  })
})

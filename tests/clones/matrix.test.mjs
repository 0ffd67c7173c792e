import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { startKv } from '../cli/support/kv.mjs'
import { Repo, temporaryFolder } from '../cli/support/repo.mjs'
import { gitEnv, slotctl } from '../cli/support/slotctl.mjs'
import { startHost } from './support/host.mjs'
import { OLD_SHAPES, SHAPES, users } from './support/shapes.mjs'

const NAME = 'prompts/x'
const policy = (percent, revoked = '') => ({
  'rollouts.toml': `["${NAME}"]\nrevoked = { ${revoked} }\n["${NAME}".production]\nsplit = { canary = ${percent} }\n`,
})

/**
 * The work tree of a team and its remote: default branch `develop`, an old `main` with another policy beside
 * it, a file that moved, a schema.
 */
function team() {
  const source = new Repo()
  source.commit(policy(50), 'An old policy')
  source.git('checkout', '--quiet', '-b', 'develop')
  source.commit({ 'prompts/x.md': 'One.\n', 'schemas/order.json': '{}\n' })
  source.version(NAME, 'v1.0.0')
  source.version('schemas/order', 'v1.0.0')
  source.commit({ 'prompts/x.md': 'One, mended.\n' })
  source.version(NAME, 'v1.0.1')
  source.commit({ 'prompts/x.md': 'Two.\n' })
  source.version(NAME, 'v1.1.0')
  source.commit(policy(10, '"v1.0.0" = "leaks"'), 'Ten percent')
  for (const at of [1, 2, 3]) source.commit({ 'README.md': `${at}\n` })
  source.slot(NAME, 'production', 'v1.0.1')
  source.slot(NAME, 'canary', 'v1.1.0')
  source.slot(NAME, 'staging', 'v1.0.1')
  const remote = new Repo(temporaryFolder('remote'))
  remote.git('init', '--quiet', '--bare', '--initial-branch=develop', 'components.git')
  remote.dir = `${remote.dir}/components.git`
  remote.git('config', 'uploadpack.allowFilter', 'true')
  source.git('remote', 'add', 'origin', remote.dir)
  push(source)
  return { source, remote }
}

const push = (source, ...refspecs) =>
  source.git('push', '--quiet', '--force', 'origin', 'refs/heads/*', 'refs/tags/*', ...refspecs)

/** What happens at the remote meanwhile: a release, a promotion, a change of the policy, another default branch. */
function change({ source, remote }) {
  source.git('branch', '--move', 'develop', 'trunk')
  source.commit({ 'prompts/x.md': 'Three.\n' })
  source.version(NAME, 'v1.2.0')
  source.slot(NAME, 'production', 'v1.1.0', 'Release v1.1.0')
  source.slot(NAME, 'canary', 'v1.2.0')
  source.commit(policy(25, '"v1.0.0" = "leaks"'), 'A quarter')
  push(source)
  remote.git('symbolic-ref', 'HEAD', 'refs/heads/trunk')
  push(source, ':refs/heads/develop')
}

const dump = async (pair) => ({ ...(await pair.slots.dump()), ...(await pair.components.dump()) })

/** What a plan says, without what says whose clone it was. */
const comparable = ({ plan, exit }) => ({
  plan: { ...plan, warnings: plan.warnings.filter(({ subject }) => subject.startsWith(NAME)) },
  exit,
})

describe('a clone of any shape', { concurrency: 2 }, () => {
  const names = [...Object.keys(SHAPES), ...Object.keys(OLD_SHAPES)]
  const clones = {}
  let kv
  let expected

  const run = (command, { repo, pair }, ...flags) => {
    const where = ['--local', kv.url, '--config', pair.config, '--repo', repo.dir]
    return slotctl([...command.split(' '), ...where, '--json', ...flags], { env: gitEnv() })
  }

  /** All four commands, from what only looks to what writes. */
  async function runAll(clone) {
    const dry = await run('sync', clone, '--dry-run')
    const status = await run('status', clone, '--check')
    const rollback = await run(`rollback ${NAME} production --to v1.0.1`, clone, '--dry-run')
    const rolledBack = await run(`rollback ${NAME} canary --to v1.0.1`, clone, '--dry-run')
    const sync = await run('sync', clone)
    const again = await run('status', clone, '--check')
    return { dry, status, rollback, rolledBack, sync, again, kv: await dump(clone.pair) }
  }

  before(async () => {
    kv = await startKv({ pairs: names.length + 1 })
    const both = team()
    const url = `file://${both.remote.dir}`
    // All begin with the KV that the remote made before it changed.
    for (const name of [...names, 'expected']) {
      clones[name] = { pair: kv.pair(), repo: OLD_SHAPES[name]?.(url) }
      const first = await run('sync', { ...clones[name], repo: both.source })
      assert.equal(first.code, 0, first.stderr)
    }
    change(both)
    for (const [name, make] of Object.entries(SHAPES)) clones[name].repo = make(url)
    clones.expected.repo = both.remote
    expected = await runAll(clones.expected)
    assert.deepEqual([expected.dry.code, expected.status.code, expected.sync.code, expected.again.code], [0, 3, 0, 0])
  })
  after(() => kv?.stop())

  for (const name of names) {
    test(`${name}: makes the same plan, ends with the same code, and stays as it is`, async () => {
      const clone = clones[name]
      const before = users(clone.repo)
      const all = await runAll(clone)
      for (const [step, { code, json, stderr }] of Object.entries(all).filter(([key]) => key !== 'kv')) {
        assert.equal(code, expected[step].code, `${step}: ${stderr}`)
        assert.equal(json.source.refs, 'remote', step)
        assert.equal(json.source.branch, 'trunk', step)
        assert.equal(json.source.commit, expected.dry.json.source.commit, step)
      }
      assert.deepEqual(comparable(all.dry.json), comparable(expected.dry.json))
      assert.deepEqual(comparable(all.sync.json), comparable(expected.sync.json))
      assert.deepEqual(all.rollback.json.rollbacks, expected.rollback.json.rollbacks)
      assert.deepEqual(all.rolledBack.json.rollbacks, expected.rolledBack.json.rollbacks)
      assert.deepEqual(all.status.json.slots, expected.status.json.slots)
      assert.deepEqual(all.kv, expected.kv)
      assert.deepEqual(users(clone.repo), before)
    })
  }

  test('over HTTP, with filters and without, and with a protocol that gives no objects by id', async () => {
    const { repo: remote } = clones.expected
    const host = await startHost(remote.dir)
    try {
      for (const [filters, protocol] of [
        ['true', '2'],
        ['false', '2'],
        ['true', '0'],
      ]) {
        remote.git('config', 'uploadpack.allowFilter', filters)
        for (const name of ['depth 1 of a tag', 'single branch without tags', 'init and fetch of one tag']) {
          // This process serves it, so that it can't wait for a clone from there.
          const repo = SHAPES[name](`file://${remote.dir}`)
          repo.git('remote', 'set-url', 'origin', host.url)
          repo.git('config', 'protocol.version', protocol)
          const before = users(repo)
          const { code, json, stderr } = await run('sync', { repo, pair: clones.expected.pair }, '--dry-run', '--check')
          assert.deepEqual([code, json?.plan.empty], [0, true], `${name}, ${filters}, ${protocol}: ${stderr}`)
          // A content that KV does not know either, all the way.
          const explain = await slotctl(['explain', NAME, 'canary', '--key', 'a', '--json', '--repo', repo.dir], {
            env: gitEnv(),
          })
          assert.deepEqual([explain.code, explain.json.version], [0, 'v1.2.0'], explain.stderr)
          assert.deepEqual(users(repo), before)
        }
      }
    } finally {
      remote.git('config', 'uploadpack.allowFilter', 'true')
      host.stop()
    }
  })
})

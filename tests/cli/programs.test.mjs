// Commands that only read run no program that a repository configures, and give Git no secret.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

import { startKv } from './support/kv.mjs'
import { extractionRepo, GIT_ENV, temporaryFolder } from './support/repo.mjs'
import { gitEnv, slotctl } from './support/slotctl.mjs'

const SECRETS = {
  CLOUDFLARE_API_TOKEN: 's3cret-1',
  CLOUDFLARE_API_KEY: 's3cret-2',
  CLOUDFLARE_EMAIL: 's3cret-3',
  CF_API_TOKEN: 's3cret-4',
  CF_API_KEY: 's3cret-5',
  RESOLVER_TOKEN: 's3cret-6',
}

/** A clone whose configuration and hooks name a program in every way, and each leaves a marker. */
function trapped() {
  const clone = extractionRepo().publish().clone()
  clone.commit({ '.gitattributes': '* filter=x diff=x\n', 'wrangler.toml': 'name = "resolver"\n' })
  clone.git('push', '--quiet', 'origin', 'HEAD')
  const markers = temporaryFolder('markers')
  const program = (name) => `touch '${path.join(markers, name)}'; false`
  const keys = ['core.fsmonitor', 'core.pager', 'core.alternateRefsCommand', 'diff.external', 'diff.x.textconv']
  keys.push('filter.x.clean', 'filter.x.smudge', 'gpg.program', 'remote.origin.uploadpack', 'pager.log')
  for (const key of keys) clone.git('config', key, program(key))
  for (const [key, value] of [
    ['filter.x.required', 'true'],
    ['log.showSignature', 'true'],
    ['protocol.ext.allow', 'always'],
    ['remote.evil.url', `ext::touch ${path.join(markers, 'ext')}`],
  ])
    clone.git('config', key, value)
  mkdirSync(path.join(clone.dir, '.git', 'hooks'), { recursive: true })
  for (const hook of ['post-index-change', 'reference-transaction', 'post-checkout', 'pre-auto-gc']) {
    writeFileSync(path.join(clone.dir, '.git', 'hooks', hook), `#!/bin/sh\n${program(hook)}\n`, { mode: 0o755 })
  }
  writeFileSync(path.join(clone.dir, 'wrangler.toml'), 'name = "resolver" # changed\n')
  const ran = () => {
    const names = readdirSync(markers).sort()
    for (const name of names) rmSync(path.join(markers, name))
    return names
  }
  return { dir: clone.dir, ran }
}

/** A folder with a `git` that records its environment, and then runs the real one. */
function recordingGit() {
  const folder = temporaryFolder('git')
  const record = path.join(folder, 'record')
  const real = execFileSync('which', ['git']).toString().trim()
  const script = `#!/bin/sh\n{ echo "# $*"; env; } >>'${record}'\nexec '${real}' "$@"\n`
  writeFileSync(path.join(folder, 'git'), script, { mode: 0o755 })
  const seen = () => (existsSync(record) ? readFileSync(record, 'utf8') : '')
  return { path: `${folder}:${process.env.PATH}`, seen }
}

describe('a command that only reads', () => {
  let kv
  let pair
  let repo
  before(async () => {
    kv = await startKv({ pairs: 1 })
    pair = kv.pair()
    repo = trapped()
    const args = ['sync', '--local', kv.url, '--config', pair.config, '--repo', repo.dir]
    const { code, stderr } = await slotctl(args, { env: gitEnv() })
    assert.equal(code, 0, stderr)
  })
  after(() => kv?.stop())

  test('would meet programs that Git itself runs', () => {
    const git = (...args) => spawnSync('git', args, { cwd: repo.dir, env: GIT_ENV, timeout: 30_000 })
    repo.ran()
    git('status', '--short')
    git('describe', '--always', '--dirty')
    git('ls-remote', 'origin')
    git('ls-remote', 'evil')
    assert.deepEqual(repo.ran(), ['core.fsmonitor', 'ext', 'filter.x.clean', 'remote.origin.uploadpack'])
  })

  for (const [command, usesKv] of /** @type {[command: string, usesKv: boolean][]} */ ([
    ['sync --dry-run', true],
    ['sync', true],
    ['status', true],
    ['status --check', true],
    ['status --offline', false],
    ['verify', true],
    ['explain prompts/extraction production --key ada', false],
    ['rollout plan', false],
    ['tag list', false],
    ['tag show prompts/extraction', false],
    ['lint .', false],
  ])) {
    test(`runs none of them, and gives Git no secret: ${command}`, async () => {
      repo.ran()
      const git = recordingGit()
      const target = usesKv ? ['--local', kv.url, '--config', pair.config] : []
      const env = { ...gitEnv(), ...SECRETS, PATH: git.path }
      const { code, stderr } = await slotctl([...command.split(' '), ...target, '--repo', repo.dir], {
        env,
        cwd: repo.dir,
      })
      assert.equal(code, 0, stderr)
      assert.deepEqual(repo.ran(), [])
      assert.match(git.seen(), /^# .*\n/)
      assert.ok(!git.seen().includes('s3cret'))
    })
  }

  test('asks no remote whose address is a program', async () => {
    repo.ran()
    for (const remote of ['evil', 'ext::touch marker']) {
      const args = ['status', '--local', kv.url, '--config', pair.config, '--repo', repo.dir, '--remote', remote]
      const { stderr } = await slotctl(args, { env: gitEnv() })
      assert.match(stderr, /transport 'ext' not allowed/)
    }
    assert.deepEqual(repo.ran(), [])
  })
})

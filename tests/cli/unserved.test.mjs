import assert from 'node:assert/strict'
import { rmSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

import { startKv } from './support/kv.mjs'
import { Repo } from './support/repo.mjs'
import { gitEnv, slotctl } from './support/slotctl.mjs'

const NAME = 'prompts/x'
const POINTER = `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 12345\n`

/** Makes v2.0.0 in a way that it cannot be served. */
const KINDS = {
  'an LFS object that is missing': (repo) => {
    repo.commit({ [`${NAME}.md`]: POINTER })
    repo.version(NAME, 'v2.0.0')
  },
  'a blob that is missing': (repo) => {
    repo.commit({ [`${NAME}.md`]: 'Second.\n' })
    repo.version(NAME, 'v2.0.0')
    const blob = repo.git('rev-parse', `HEAD:${NAME}.md`)
    rmSync(path.join(repo.dir, '.git', 'objects', blob.slice(0, 2), blob.slice(2)))
  },
  'a path that nothing names': (repo) => {
    repo.git('mv', `${NAME}.md`, 'moved.md')
    repo.commit({ 'moved.md': 'Second.\n' })
    repo.version(NAME, 'v2.0.0')
  },
  'a path that is not a file': (repo) => {
    rmSync(path.join(repo.dir, `${NAME}.md`))
    symlinkSync('../other.md', path.join(repo.dir, `${NAME}.md`))
    repo.commit({ 'other.md': 'Second.\n' })
    repo.version(NAME, 'v2.0.0')
  },
}

describe('a version that cannot be served', () => {
  let kv
  before(async () => {
    kv = await startKv({ pairs: Object.keys(KINDS).length })
  })
  after(() => kv?.stop())

  for (const [kind, make] of Object.entries(KINDS)) {
    test(`is said by every command, with what is served instead: ${kind}`, async () => {
      const pair = kv.pair()
      const repo = new Repo()
      const run = (command) =>
        slotctl([...command.split(' '), '--local', kv.url, '--config', pair.config, '--repo', repo.dir, '--json'], {
          env: gitEnv(),
        })
      repo.commit({ [`${NAME}.md`]: 'First.\n' })
      repo.version(NAME, 'v1.0.0')
      repo.slot(NAME, 'production', 'v1.0.0')
      assert.equal((await run('sync')).code, 0)
      make(repo)
      repo.slot(NAME, 'production', 'v2.0.0')
      for (const [command, code] of /** @type {[string, number][]} */ ([
        ['sync', 1],
        ['sync --dry-run --check', 3],
        ['status --check', 3],
        ['verify', 1],
      ])) {
        const ended = await run(command)
        assert.equal(ended.code, code, `${command}: ${ended.stderr}`)
        assert.match(ended.stderr, /components\/prompts\/x\/production: /, `${command} says why`)
        assert.match(
          ended.stderr,
          /refused: prompts\/x@production: the version that its tag names cannot be served: v1\.0\.0 stays\n/,
          command,
        )
        assert.doesNotMatch(ended.stderr, /no tag has it|no findings|all as Git says/, command)
      }
      assert.equal((await pair.slots.json(`${NAME}@production`)).targets[0].version, 'v1.0.0')
    })
  }
})

test('a path that differs only in letter case or normalization gets the one that the commit has', async () => {
  const repo = new Repo()
  // The first name is written as macOS does, in two code points.
  repo.commit({ 'docs/cafe\u0301.md': 'a', 'Prompts/Extraction.md': 'b' })
  const tag = (name, text) => repo.git('tag', '-a', '-m', text, `components/${name}/v1.0.0`)
  tag('prompts/cafe', 'Release\n\nComponent-Path: docs/caf\u00e9.md')
  tag('prompts/extraction', 'Release')
  const { code, stderr } = await slotctl(['status', '--offline', '--repo', repo.dir], { env: gitEnv() })
  assert.equal(code, 1)
  assert.match(stderr, /the commit has docs\/cafe\u0301\.md, the same letters in another Unicode normalization/)
  assert.match(stderr, /the commit has Prompts\/Extraction\.md, which differs in letter case/)
  const create = ['tag', 'create', 'prompts/cafe', 'v1.1.0', '--path', 'docs/caf\u00e9.md', '--repo', repo.dir]
  const created = await slotctl(create, { env: gitEnv() })
  assert.equal(created.code, 1)
  assert.match(created.stderr, /did you mean --path 'docs\/cafe\u0301\.md'\?/)
})

test('a tag of a release tool in a folder of components gets the command that makes the version', async () => {
  const repo = new Repo()
  repo.commit({ 'templates/emails/welcome.html': 'Welcome.\n' })
  repo.git('tag', '-a', '-m', 'Release', 'components/templates/emails/welcome-v1.2.0')
  const status = () => slotctl(['status', '--offline', '--repo', repo.dir], { env: gitEnv() })
  const { code, stderr } = await status()
  assert.equal(code, 1)
  const command = /git -C \S+ (tag -a -m 'Release v1\.2\.0' (\S+) '(\S+)')\n/.exec(stderr)
  assert.ok(command, stderr)
  const [, , tag, from] = command
  assert.equal(tag, 'components/templates/emails/welcome/v1.2.0')
  repo.git('tag', '-a', '-m', 'Release v1.2.0', tag, from)
  assert.match((await status()).stdout, /templates\/emails\/welcome@latest +\S+ +latest v1\.2\.0/)
})

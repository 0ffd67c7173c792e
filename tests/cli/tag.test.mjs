import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, test } from 'node:test'

import { extractionRepo, Repo } from './support/repo.mjs'
import { gitEnv, slotctl } from './support/slotctl.mjs'

const EXTRACTION = 'prompts/extraction'
const tagOf = (ref, component = EXTRACTION) => `components/${component}/${ref}`

/** Runs `slotctl tag` in a repository. */
const tag = (repo, ...args) => slotctl(['tag', ...args], { cwd: repo.dir, env: gitEnv() })

/** Creates a repository with files and without tags. @param {Record<string, string>} [files] */
function freshRepo(files = { 'prompts/extraction.md': 'Extract.\n' }) {
  const repo = new Repo()
  repo.commit(files)
  return repo
}

const kindOf = (repo, name) => repo.git('cat-file', '-t', `refs/tags/${name}`)
const messageOf = (repo, name) => repo.git('for-each-ref', '--format=%(contents)', `refs/tags/${name}`)
const objectOf = (repo, name) => repo.git('rev-parse', `refs/tags/${name}`)
const tagsOf = (repo) => repo.git('tag', '--list').split('\n').filter(Boolean)

async function refused(repo, args, what, hint) {
  const before = repo.git('for-each-ref')
  const { code, stdout, stderr } = await tag(repo, ...args)
  assert.equal(code, 1, stderr)
  assert.equal(stdout, '')
  assert.match(stderr, what)
  assert.match(stderr, hint)
  assert.equal(repo.git('for-each-ref'), before)
}

describe('slotctl tag create', () => {
  test('refuses a file with changes that are not committed, unless --allow-dirty', async () => {
    const repo = freshRepo({ 'prompts/extraction.md': 'Extract.\n', 'prompts/other.md': 'Other.\n' })
    const first = repo.git('rev-parse', 'HEAD')
    const change = (file, text) => writeFileSync(path.join(repo.dir, file), text)
    const dirty = /prompts\/extraction\.md has changes that are not committed/
    // Other files may have changes, and an untracked registry is not a part of the component.
    change('prompts/other.md', 'Changed.\n')
    mkdirSync(path.join(repo.dir, '.edgit'))
    change('.edgit/components.json', '{}')
    assert.equal((await tag(repo, 'create', EXTRACTION, 'v1.0.0')).code, 0)
    change('prompts/extraction.md', 'Extract it all.\n')
    await refused(repo, ['create', EXTRACTION, 'v1.1.0'], dirty, /--allow-dirty/)
    repo.git('add', 'prompts/extraction.md')
    await refused(repo, ['create', EXTRACTION, 'v1.1.0'], dirty, /commit them first/)
    await refused(repo, ['bump', EXTRACTION, 'minor'], dirty, /--allow-dirty/)
    repo.git('rm', '--quiet', '--cached', 'prompts/extraction.md')
    await refused(repo, ['create', EXTRACTION, 'v1.1.0'], dirty, /--allow-dirty/)
    await refused(repo, ['set', EXTRACTION, 'canary', 'HEAD'], dirty, /--allow-dirty/)
    const allowed = await tag(repo, 'bump', EXTRACTION, 'minor', '--allow-dirty')
    assert.equal(allowed.code, 0, allowed.stderr)
    repo.commit({ 'prompts/extraction.md': 'Extract it all.\n' })
    change('prompts/extraction.md', 'Dirty again.\n')
    const earlier = await tag(repo, 'create', EXTRACTION, 'v0.9.0', first)
    assert.equal(earlier.code, 0, 'an earlier commit is named on purpose')
  })

  test('makes an annotated tag that names the file', async () => {
    const repo = freshRepo()
    const { code, stdout, stderr } = await tag(repo, 'create', EXTRACTION, 'v1.0.0')
    assert.deepEqual([code, stdout], [0, ''])
    assert.match(stderr, /components\/prompts\/extraction\/v1\.0\.0: prompts\/extraction\.md at [0-9a-f]{10}/)
    assert.match(stderr, /hint: slotctl push --tags\n/)
    assert.equal(kindOf(repo, tagOf('v1.0.0')), 'tag')
    assert.equal(
      messageOf(repo, tagOf('v1.0.0')),
      'Release prompts/extraction v1.0.0\n\nComponent-Path: prompts/extraction.md',
    )
    assert.equal(repo.git('rev-parse', `${tagOf('v1.0.0')}^{commit}`), repo.git('rev-parse', 'HEAD'))
  })

  test('tags an earlier commit, with a message, as JSON', async () => {
    const repo = freshRepo()
    const first = repo.git('rev-parse', 'HEAD')
    repo.commit({ 'prompts/extraction.md': 'More.\n' })
    const args = ['create', EXTRACTION, 'v1.0.0-rc.1', 'HEAD~1', '--message', '# Try it\n\nSigned-off-by: A', '--json']
    const { code, json } = await tag(repo, ...args)
    assert.equal(code, 0)
    assert.deepEqual(json, {
      schema: 1,
      command: 'tag create',
      exit: 0,
      commit: first,
      component: EXTRACTION,
      path: 'prompts/extraction.md',
      tag: tagOf('v1.0.0-rc.1'),
      version: 'v1.0.0-rc.1',
    })
    assert.match(messageOf(repo, tagOf('v1.0.0-rc.1')), /^# Try it\n\nSigned-off-by: A\n\nComponent-Path: /)
  })

  test('finds the file as sync does, or by --path and --registry', async () => {
    const repo = freshRepo({
      'prompts/a/index.md': 'a',
      'logic/agents/triage.agent.yaml': 'b',
      'mails/w.hbs': 'c',
      'q/top.sql': 'd',
    })
    const registry = path.join(repo.dir, '.git', 'registry.json')
    writeFileSync(registry, JSON.stringify({ components: { top: { path: 'q/top.sql', type: 'query' } } }))
    for (const [args, file, prefix] of [
      [['prompts/a'], 'prompts/a/index.md', 'components'],
      [['agents/triage', '--prefix', 'logic'], 'logic/agents/triage.agent.yaml', 'logic'],
      [['templates/emails/welcome', '--path', './mails/w.hbs'], 'mails/w.hbs', 'components'],
      [['queries/top', '--registry', registry], 'q/top.sql', 'components'],
    ]) {
      const { code, stderr } = await tag(repo, 'create', args[0], 'v1.0.0', ...args.slice(1))
      assert.equal(code, 0, stderr)
      assert.ok(messageOf(repo, `${prefix}/${args[0]}/v1.0.0`).endsWith(`Component-Path: ${file}`))
    }
  })

  test('refuses an existing version, and suggests the next one', async () => {
    await refused(
      extractionRepo(),
      ['create', EXTRACTION, 'v1.0.0'],
      /extraction\/v1\.0\.0: already exists: commit [0-9a-f]{10}, by Grace at 20/,
      /hint: versions never change; .*the next one is v1\.1\.1/,
    )
  })

  test('refuses a commit without the file', async () => {
    const repo = freshRepo()
    writeFileSync(path.join(repo.dir, 'prompts', 'new.md'), 'not committed')
    await refused(
      repo,
      ['create', 'prompts/new', 'v1.0.0'],
      /its commit has no file for it; looked for .*prompts\/\{new/,
      /hint: commit the file first, or name it: --path/,
    )
    await refused(
      repo,
      ['create', EXTRACTION, 'v1.0.0', '--path', 'nowhere.md'],
      /its commit has no file nowhere\.md/,
      /--path/,
    )
    await refused(repo, ['create', EXTRACTION, 'v1.0.0', '--path', '../x'], /'\.\.' leads out/, /--path/)
    await refused(repo, ['create', EXTRACTION, 'v1.0.0', '--path', 'prompts'], /prompts is a folder/, /--path/)
    await refused(
      repo,
      ['create', EXTRACTION, 'v1.0.0', 'nobranch'],
      /nobranch: no commit of this repository/,
      /git fetch/,
    )
    await refused(new Repo(), ['create', EXTRACTION, 'v1.0.0'], /there is no commit yet/, /git commit/)
  })

  for (const [what, args, message] of /** @type {[what: string, args: string[], message: RegExp][]} */ ([
    ['a version that is none', [EXTRACTION, 'v1.0'], /three numbers are needed; did you mean v1\.0\.0\?/],
    ['leading zeros', [EXTRACTION, 'v01.02.03'], /did you mean v1\.2\.3\?/],
    ['a version without v', [EXTRACTION, '1.0.0'], /the leading 'v' is missing; did you mean v1\.0\.0\?/],
    ['a slot', [EXTRACTION, 'production'], /production is a slot: `slotctl tag set` sets it/],
    ['a name that is none', ['extraction', 'v1.0.0'], /a type and a name/],
    [
      'a name that looks like an option',
      ['--', 'prompts/--help', 'v1.0.0'],
      /begins with a letter or a digit|prompts\/--help/,
    ],
  ])) {
    test(`exits with 2 on ${what}`, async () => {
      const repo = freshRepo()
      const { code, stderr } = await tag(repo, 'create', ...args)
      assert.equal(code, 2, stderr)
      assert.match(stderr, message)
      assert.deepEqual(tagsOf(repo), [])
    })
  }

  test('never reads a commit as an option', async () => {
    const repo = freshRepo()
    const { code, stderr } = await tag(repo, 'create', EXTRACTION, 'v1.0.0', '--', '--force')
    assert.equal(code, 1)
    assert.match(stderr, /--force: no commit/)
    assert.deepEqual(tagsOf(repo), [])
  })

  test("follows the user's Git settings: identity, signing and hooks", async () => {
    const repo = freshRepo()
    const gpg = path.join(repo.dir, '.git', 'gpg.sh')
    const config = (key, value) => repo.git('config', key, value)
    config('tag.gpgSign', 'true')
    config('gpg.program', gpg)
    writeFileSync(gpg, '#!/bin/sh\necho no secret key >&2\nexit 2\n')
    chmodSync(gpg, 0o755)
    await refused(
      repo,
      ['create', EXTRACTION, 'v1.0.0'],
      /no secret key|failed to sign/,
      /unlock the key that user\.signingKey names/,
    )
    const armor = '-----BEGIN PGP SIGNATURE-----\\n\\nabc\\n-----END PGP SIGNATURE-----\\n'
    writeFileSync(gpg, `#!/bin/sh\ncat >/dev/null\nprintf '[GNUPG:] SIG_CREATED D\\n' >&2\nprintf -- '${armor}'\n`)
    assert.equal((await tag(repo, 'create', EXTRACTION, 'v1.0.0')).code, 0)
    assert.match(messageOf(repo, tagOf('v1.0.0')), /BEGIN PGP SIGNATURE/)
    config('tag.gpgSign', 'false')
    const shown = await tag(repo, 'show', EXTRACTION, 'v1.0.0')
    assert.match(shown.stdout, /file +prompts\/extraction\.md/)
    const hook = path.join(repo.dir, '.git', 'hooks', 'reference-transaction')
    writeFileSync(hook, '#!/bin/sh\n[ "$1" = prepared ] && { echo not today >&2; exit 1; }\nexit 0\n')
    chmodSync(hook, 0o755)
    const { code, stderr } = await tag(repo, 'create', EXTRACTION, 'v1.0.1')
    assert.equal(code, 1)
    assert.match(stderr, /not today/)
  })

  test('says what to do if Git has no identity', async () => {
    const repo = freshRepo()
    repo.git('config', 'user.useConfigOnly', 'true')
    const env = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' }
    const { code, stderr } = await slotctl(['tag', 'create', EXTRACTION, 'v1.0.0'], { cwd: repo.dir, env })
    assert.equal(code, 1)
    assert.match(stderr, /hint: set the Git identity: git config --global user\.name/)
  })
})

describe('slotctl tag set', () => {
  test("tags the version's tag, as edgit does", async () => {
    const repo = extractionRepo()
    const { code, stderr } = await tag(repo, 'set', EXTRACTION, 'production', 'v1.1.0')
    assert.equal(code, 0)
    assert.match(stderr, /extraction\/production: v1\.0\.0 → v1\.1\.0\n/)
    assert.match(stderr, /hint: slotctl push --tags --force/)
    const [, target] = /^object ([0-9a-f]+)$/m.exec(repo.git('cat-file', 'tag', objectOf(repo, tagOf('production'))))
    assert.equal(target, objectOf(repo, tagOf('v1.1.0')))
    const again = await tag(repo, 'set', EXTRACTION, 'production', 'v1.1.0', '--json')
    assert.equal(again.code, 0)
    assert.deepEqual([again.json.from, again.json.to], ['v1.1.0', 'v1.1.0'])
    assert.match(again.stderr, /is v1\.1\.0 already/)
  })

  test('copies another slot, without following it later', async () => {
    const repo = extractionRepo()
    await tag(repo, 'set', EXTRACTION, 'production', 'staging')
    await tag(repo, 'set', EXTRACTION, 'staging', 'v1.0.0')
    const { json } = await tag(repo, 'show', EXTRACTION, 'production', '--json')
    assert.equal(json.standsOn, 'v1.1.0')
  })

  test('takes any commit (HEAD by default), and names the file', async () => {
    const repo = extractionRepo()
    const commit = repo.commit({ 'prompts/extraction.md': 'Try.\n' })
    const { json } = await tag(repo, 'set', EXTRACTION, 'dev', '--json')
    assert.deepEqual([json.slot, json.from, json.to], ['dev', null, commit])
    assert.match(messageOf(repo, tagOf('dev')), /Component-Path: prompts\/extraction\.md$/)
    const older = await tag(repo, 'set', EXTRACTION, 'dev', 'HEAD~1', '--json')
    assert.equal(older.json.to, 'v1.1.0', 'the version at that commit')
    await refused(repo, ['set', 'prompts/other', 'dev'], /no file for it/, /--path/)
  })

  test('refuses an unknown version', async () => {
    const repo = extractionRepo()
    await refused(
      repo,
      ['set', EXTRACTION, 'production', 'v9.0.0'],
      /prompts\/extraction@v9\.0\.0: the component has no such version; it has v1\.1\.0, v1\.0\.0/,
      /slotctl tag create prompts\/extraction v9\.0\.0; or fetch it/,
    )
    await refused(repo, ['set', EXTRACTION, 'production', 'nothing'], /nothing: no commit/, /git fetch/)
    const usage = await tag(repo, 'set', EXTRACTION, 'v1.0.0', 'v1.1.0')
    assert.equal(usage.code, 2)
    assert.match(usage.stderr, /v1\.0\.0 is a version, which never moves/)
  })

  test('warns if a lightweight version is ambiguous', async () => {
    const repo = freshRepo()
    for (const version of ['v1.0.0', 'v1.1.0']) repo.git('tag', tagOf(version))
    const { code, stderr } = await tag(repo, 'set', EXTRACTION, 'production', 'v1.0.0')
    assert.equal(code, 0)
    assert.match(stderr, /warning: .*points to v1\.1\.0: the tag of v1\.0\.0 is lightweight/)
  })
})

describe('slotctl tag list and show', () => {
  test('list all tags, sorted by name and version', async () => {
    const repo = extractionRepo()
    await tag(repo, 'bump', EXTRACTION, 'major')
    const { code, stdout } = await tag(repo, 'list')
    assert.equal(code, 0)
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ {2,}/))
    assert.deepEqual(
      rows.map(([, ref]) => ref),
      ['v1.0.0', 'v1.1.0', 'v2.0.0', 'production', 'staging'],
    )
    assert.deepEqual(rows[3].slice(0, 3), [EXTRACTION, 'production', '→ v1.0.0'])
    const { json } = await tag(repo, 'list', EXTRACTION, '--json')
    assert.deepEqual(
      json.tags.map(({ standsOn }) => standsOn),
      ['v1.0.0', 'v1.1.0', 'v2.0.0', 'v1.0.0', 'v1.1.0'],
    )
  })

  test('show a tag, and the state of its version', async () => {
    const repo = extractionRepo()
    const shown = await tag(repo, 'show', EXTRACTION, 'production')
    assert.match(
      shown.stdout,
      /^tag +components\/prompts\/extraction\/production\nversion +v1\.0\.0\ncommit +[0-9a-f]{40}\nfile +prompts\/extraction\.md\nsince +20.*\nby +Grace\nwhy +Set production to v1\.0\.0\n$/,
    )
    repo.git('tag', '--delete', tagOf('v1.0.0'))
    const lost = await tag(repo, 'show', EXTRACTION, 'production')
    assert.match(lost.stdout, /note +the tag of v1\.0\.0, which it was set to, was deleted/)
    await refused(
      repo,
      ['show', EXTRACTION, 'canary'],
      /extraction@canary: this repository has no such tag/,
      /slotctl tag list/,
    )
    await refused(repo, ['list', 'prompts/other'], /no tag under components\/ names it/, /slotctl tag create/)
  })
})

describe('a mistyped component', () => {
  test('is answered with the nearest name', async () => {
    const repo = extractionRepo()
    for (const command of ['list', 'show']) {
      const { code, stderr } = await slotctl(['tag', command, 'prompts/extracton', '--repo', repo.dir], {
        env: gitEnv(),
      })
      assert.equal(code, 1, stderr)
      assert.match(stderr, /hint: did you mean prompts\/extraction\? slotctl tag list prompts\/extraction --repo \S+\n/)
    }
  })

  test('is not expected in a repository without tags: that is said', async () => {
    const repo = new Repo()
    repo.commit({})
    const { code, stderr } = await slotctl(['tag', 'list', '--repo', repo.dir], { env: gitEnv() })
    assert.equal(code, 0, stderr)
    assert.match(stderr, /There are no tags under components\//)
    const status = await slotctl(['status', '--offline', '--repo', repo.dir], { env: gitEnv() })
    assert.equal(status.code, 0, status.stderr)
    assert.match(status.stderr, /There are no slots/)
  })
})

describe('slotctl tag bump', () => {
  for (const [tags, part, expected] of /** @type {[tags: string[], part: string, expected: string][]} */ ([
    [[], 'minor', 'v0.1.0'],
    [['v1.2.3'], 'patch', 'v1.2.4'],
    [['v1.2.3', 'v1.10.0'], 'minor', 'v1.11.0'],
    [['v1.2.3'], 'major', 'v2.0.0'],
    [['v1.2.3', 'v2.0.0-rc.1'], 'patch', 'v2.0.0'],
  ])) {
    test(`makes ${expected} after ${tags.join(' and ') || 'nothing'} (${part})`, async () => {
      const repo = freshRepo()
      for (const version of tags) await tag(repo, 'create', EXTRACTION, version)
      const { code, json } = await tag(repo, 'bump', EXTRACTION, part, '--json')
      assert.deepEqual([code, json.version], [0, expected])
      assert.ok(tagsOf(repo).includes(tagOf(expected)))
    })
  }
})

describe('slotctl tag delete', () => {
  test('deletes a local slot, and says how to delete it on the remote', async () => {
    const repo = extractionRepo()
    const was = objectOf(repo, tagOf('staging'))
    const { code, stderr } = await tag(repo, 'delete', EXTRACTION, 'staging')
    assert.equal(code, 0)
    assert.ok(
      stderr.includes(`--force-with-lease=refs/tags/${tagOf('staging')}:${was} origin :refs/tags/${tagOf('staging')}`),
    )
    assert.ok(!tagsOf(repo).includes(tagOf('staging')))
  })

  test('deletes a version only with --force', async () => {
    const repo = extractionRepo()
    await refused(
      repo,
      ['delete', EXTRACTION, 'v1.0.0'],
      /v1\.0\.0: is a version, and production points to it/,
      /with --force; to withdraw it, revoke it in rollouts\.toml/,
    )
    assert.equal((await tag(repo, 'delete', EXTRACTION, 'v1.0.0', '--force')).code, 0)
    assert.ok(!tagsOf(repo).includes(tagOf('v1.0.0')))
    await refused(repo, ['delete', EXTRACTION, 'canary'], /this repository has no such tag/, /slotctl tag list/)
  })
})

import assert from 'node:assert/strict'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, test } from 'node:test'

import { extractionRepo, Repo } from './support/repo.mjs'
import { gitEnv, slotctl } from './support/slotctl.mjs'

const EXTRACTION = 'prompts/extraction'
const PRODUCTION = 'components/prompts/extraction/production'
const PEOPLE = {
  ada: { GIT_COMMITTER_NAME: 'Ada' },
  // Her tags are the newest: at first, a clone only knows dates.
  grace: { GIT_COMMITTER_NAME: 'Grace', GIT_COMMITTER_DATE: '2040-01-01T00:00:00Z' },
}

/** Creates a bare remote and two clones of it. */
function team() {
  const remote = extractionRepo().publish()
  return { remote, ada: person(remote, 'ada'), grace: person(remote, 'grace') }
}

/** A clone, and functions that run `slotctl` in it. */
function person(remote, name) {
  const repo = remote.clone()
  const run = (...args) => slotctl(args, { cwd: repo.dir, env: gitEnv(PEOPLE[name]) })
  return { repo, run, set: (slot, to) => run('tag', 'set', EXTRACTION, slot, to) }
}

const allRefs = (repo) => repo.git('for-each-ref', '--format=%(objectname) %(refname)')

/** Checks to which version a slot's tag on the remote points. */
const versionOf = (repo, slot) =>
  /^object ([0-9a-f]+)/.exec(repo.git('cat-file', 'tag', `refs/tags/components/${EXTRACTION}/${slot}`))[1]

const isAt = (repo, slot, version) =>
  assert.equal(versionOf(repo, slot), repo.git('rev-parse', `refs/tags/components/${EXTRACTION}/${version}`))

async function done(command, message = /./) {
  const { code, stderr, json } = await command
  assert.equal(code, 0, stderr)
  assert.match(stderr, message)
  return json
}

async function refused(remote, command, what, hint) {
  const before = allRefs(remote)
  const { code, stderr } = await command
  assert.equal(code, 1, stderr)
  assert.match(stderr, what)
  assert.match(stderr, hint)
  assert.equal(allRefs(remote), before, 'nothing is pushed')
}

describe('slotctl push', () => {
  test('works as in the guide, command by command', async () => {
    const { remote, ada } = team()
    ada.repo.commit({ 'prompts/extraction.md': 'Extract more.\n' })
    await done(ada.run('tag', 'create', EXTRACTION, 'v1.2.0'))
    await done(
      ada.run('push', '--tags'),
      /main: 1 commit → origin\ncomponents\/prompts\/extraction\/v1\.2\.0: new version\n2 refs pushed to origin/,
    )
    assert.equal(remote.git('rev-parse', 'main'), ada.repo.git('rev-parse', 'main'))
    await done(ada.set('production', 'v1.2.0'))
    await refused(
      remote,
      ada.run('push', '--tags'),
      /production: the remote has another value for this slot/,
      /slotctl push --tags --force/,
    )
    const json = await done(ada.run('push', '--tags', '--force', '--json'), /production: moved\n1 ref pushed/)
    assert.deepEqual(
      json.pushed.tags.map(({ tag }) => tag),
      [PRODUCTION],
    )
    isAt(remote, 'production', 'v1.2.0')
    await done(ada.set('production', 'v1.0.0'))
    await done(ada.run('push', '--tags', '--force'))
    isAt(remote, 'production', 'v1.0.0')
    await done(ada.run('push', '--tags', '--force'), /origin is already up to date/)
  })

  test('without --tags pushes the branch alone', async () => {
    const { remote, ada } = team()
    ada.repo.commit({ 'a.md': 'a' })
    await done(ada.run('tag', 'create', 'prompts/a', 'v1.0.0', '--path', 'a.md'))
    await done(ada.run('push'), /main: 1 commit → origin\n1 ref pushed/)
    assert.equal(remote.git('tag', '--list', 'components/prompts/a/*'), '')
    assert.equal((await ada.run('push', '--force')).code, 2)
  })
})

describe('a host without atomic pushes', () => {
  /** A team whose remote does not offer the capability. */
  function without() {
    const all = team()
    all.remote.git('config', 'receive.advertiseAtomic', 'false')
    return all
  }

  test('takes one ref', async () => {
    const { remote, ada } = without()
    await done(ada.set('production', 'v1.1.0'))
    await done(ada.run('push', '--tags', '--force'), /1 ref pushed to origin/)
    isAt(remote, 'production', 'v1.1.0')
  })

  test('takes several refs one after another', async () => {
    const { remote, ada } = without()
    await done(ada.set('production', 'v1.1.0'))
    await done(ada.set('canary', 'v1.1.0'))
    await done(ada.run('push', '--tags', '--force'), /2 refs pushed to origin/)
    isAt(remote, 'production', 'v1.1.0')
    isAt(remote, 'canary', 'v1.1.0')
  })

  test('is not taken for all or none: what was pushed in part is told', async () => {
    const { remote, ada } = without()
    const hook = path.join(remote.dir, 'hooks', 'update')
    writeFileSync(hook, `#!/bin/sh\ncase $1 in */production) echo 'only CI'; exit 1; esac\n`)
    chmodSync(hook, 0o755)
    await done(ada.set('production', 'v1.1.0'))
    await done(ada.set('canary', 'v1.1.0'))
    const { code, stderr } = await ada.run('push', '--tags', '--force')
    assert.equal(code, 1, stderr)
    assert.match(stderr, /only CI/)
    assert.match(stderr, /1 of 2 refs pushed/)
    isAt(remote, 'canary', 'v1.1.0')
    isAt(remote, 'production', 'v1.0.0')
    const again = await ada.run('push', '--tags', '--force')
    assert.match(again.stderr, /nothing was pushed/, 'canary is there already')
  })

  test('is not asked again after another refusal', async () => {
    const { remote, ada } = team()
    const hook = path.join(remote.dir, 'hooks', 'pre-receive')
    const log = path.join(remote.dir, 'asked')
    writeFileSync(hook, `#!/bin/sh\necho asked >> '${log}'\nexit 1\n`)
    chmodSync(hook, 0o755)
    await done(ada.set('production', 'v1.1.0'))
    await done(ada.set('canary', 'v1.1.0'))
    await refused(remote, ada.run('push', '--tags', '--force'), /pre-receive hook declined/, /protected/)
    assert.equal(readFileSync(log, 'utf8'), 'asked\n')
  })
})

describe('a stale clone', () => {
  test('cannot roll back the moves of others', async () => {
    const { remote, ada, grace } = team()
    await done(ada.set('production', 'v1.1.0'))
    await done(ada.run('push', '--tags', '--force'))
    // Grace's clone still has production at v1.0.0.
    await done(grace.run('tag', 'create', EXTRACTION, 'v1.0.1', 'HEAD~1'))
    await done(grace.set('production', 'v1.0.1'))
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      await refused(
        remote,
        grace.run('push', '--tags', '--force'),
        /extraction\/production: moved on origin since this clone last saw it: v1\.1\.0, by Ada at 20/,
        /hint: see theirs: git fetch --force origin tag components\/prompts\/extraction\/production; then set it again/,
      )
      isAt(remote, 'production', 'v1.1.0')
    }
    // The printed hint.
    grace.repo.git('fetch', '--quiet', '--force', 'origin', 'tag', PRODUCTION)
    await done(grace.set('production', 'v1.0.1'), /v1\.1\.0 → v1\.0\.1/)
    await done(grace.run('push', '--tags', '--force'))
    isAt(remote, 'production', 'v1.0.1')
    // Now Ada's clone is the stale one.
    await done(ada.set('production', 'v1.0.0'))
    await refused(remote, ada.run('push', '--tags', '--force'), /v1\.0\.1, by Grace/, /git fetch/)
  })

  test('cannot undo a rollback to a tag that it has seen', async () => {
    const { remote, ada, grace } = team()
    const first = ada.repo.git('rev-parse', `refs/tags/${PRODUCTION}`)
    await done(ada.set('production', 'v1.1.0'))
    await done(ada.run('push', '--tags', '--force'))
    // Somebody restores the tag object that all clones have.
    grace.repo.git('push', '--quiet', '--force', 'origin', `${first}:refs/tags/${PRODUCTION}`)
    await done(ada.run('tag', 'create', EXTRACTION, 'v1.1.1'))
    await done(ada.set('production', 'v1.1.1'))
    await refused(remote, ada.run('push', '--tags', '--force'), /last saw it: v1\.0\.0, by Grace/, /git fetch/)
  })

  test('pushes its own changes and leaves the moves of others alone', async () => {
    const { remote, ada, grace } = team()
    // Ada has pushed from this clone before, and is behind now.
    await done(ada.set('production', 'v1.1.0'))
    await done(ada.run('push', '--tags', '--force'))
    grace.repo.git('fetch', '--quiet', '--force', 'origin', 'tag', PRODUCTION)
    await done(grace.set('production', 'v1.0.0'))
    await done(grace.run('push', '--tags', '--force'))
    await done(ada.set('canary', 'v1.1.0'))
    await done(
      ada.run('push', '--tags', '--force'),
      /warning: .*production: left alone: moved on origin: v1\.0\.0, by Grace/,
    )
    isAt(remote, 'canary', 'v1.1.0')
    isAt(remote, 'production', 'v1.0.0')
    // A clone in which slotctl never ran does not push tags that are older than the remote's.
    const old = person(remote, 'ada')
    old.repo.git('update-ref', `refs/tags/${PRODUCTION}`, `refs/tags/components/${EXTRACTION}/v1.1.0`)
    const json = await done(old.run('push', '--tags', '--force', '--json'))
    assert.deepEqual(
      json.left.map(({ subject }) => subject),
      [PRODUCTION],
    )
  })

  test('does not restore tags that others deleted', async () => {
    const { remote, ada, grace } = team()
    await done(ada.set('canary', 'v1.1.0'))
    await done(ada.run('push', '--tags'))
    grace.repo.git('push', '--quiet', 'origin', `:refs/tags/components/${EXTRACTION}/canary`)
    await done(ada.run('push', '--tags', '--force'), /canary: left alone: it was deleted on origin/)
    assert.equal(remote.git('tag', '--list', '*/canary'), '')
  })

  test('is refused by the remote if two moves race', async () => {
    const { remote, ada } = team()
    await done(ada.set('production', 'v1.1.0'))
    // Somebody moves the slot between the listing of the remote and the push.
    const moved = `git --git-dir '${remote.dir}' tag -f ${PRODUCTION} components/${EXTRACTION}/v1.1.0 >/dev/null 2>&1`
    const hook = path.join(ada.repo.dir, '.git', 'hooks', 'pre-push')
    writeFileSync(hook, `#!/bin/sh\nunset GIT_DIR\n${moved}\nexit 0\n`)
    chmodSync(hook, 0o755)
    const { code, stderr } = await ada.run('push', '--tags', '--force')
    assert.equal(code, 1)
    assert.match(stderr, /production: changed on origin during the push/)
    assert.match(stderr, /hint: run the command again/)
  })
})

describe('a version', () => {
  test('is never moved, and nothing else is pushed with it', async () => {
    const { remote, ada, grace } = team()
    for (const [who, text] of /** @type {[who: typeof ada, text: string][]} */ ([
      [ada, 'a'],
      [grace, 'b'],
    ])) {
      who.repo.git('switch', '--quiet', '-c', text)
      who.repo.commit({ 'prompts/extraction.md': text })
      await done(who.run('tag', 'create', EXTRACTION, 'v2.0.0'))
    }
    await done(ada.run('push', '--tags'))
    await done(grace.set('staging', 'v2.0.0'))
    await refused(
      remote,
      grace.run('push', '--tags', '--force'),
      /v2\.0\.0: origin has another commit for it \(commit [0-9a-f]{10}, by Ada at .*\), and versions never change/,
      /take theirs: git fetch --force origin tag components\/prompts\/extraction\/v2\.0\.0; then make yours under the next number/,
    )
  })
})

describe('a clear message for', () => {
  test('a detached HEAD', async () => {
    const { remote, ada } = team()
    ada.repo.git('checkout', '--quiet', '--detach')
    await refused(remote, ada.run('push'), /HEAD: is detached, so there is no branch/, /slotctl push --tags/)
    await done(ada.set('canary', 'v1.1.0'))
    await done(ada.run('push', '--tags'), /HEAD is detached: tags are pushed/)
    isAt(remote, 'canary', 'v1.1.0')
  })

  test('no upstream, which is then set', async () => {
    const { remote, ada } = team()
    ada.repo.git('switch', '--quiet', '--create', 'try')
    await done(ada.run('push', '--tags'), /try: a new branch → origin/)
    assert.equal(remote.git('rev-parse', 'try'), ada.repo.git('rev-parse', 'HEAD'))
    assert.equal(ada.repo.git('rev-parse', '--abbrev-ref', 'try@{upstream}'), 'origin/try')
  })

  test('no remote, an unknown or a missing one', async () => {
    const { remote, ada } = team()
    const alone = extractionRepo()
    const run = (...args) => slotctl(['push', ...args], { cwd: alone.dir, env: gitEnv() })
    await refused(remote, run('--tags'), /there is no remote to push to/, /git remote add origin <url>/)
    await refused(
      remote,
      ada.run('push', 'upstream'),
      /upstream: is not a remote of this repository/,
      /there are origin/,
    )
    await refused(remote, ada.run('push', '--', '--mirror'), /--mirror: is not a remote/, /there are origin/)
    ada.repo.git('remote', 'set-url', 'origin', '/nowhere.git')
    await refused(
      remote,
      ada.run('push', '--tags'),
      /origin: cannot be reached: .*nowhere/,
      /git remote get-url origin/,
    )
    const empty = new Repo()
    const nothing = await slotctl(['push'], { cwd: empty.dir, env: gitEnv() })
    assert.match(nothing.stderr, /main: the branch has no commit yet/)
  })

  test('a diverged branch, but not one that is behind', async () => {
    const { remote, ada, grace } = team()
    grace.repo.commit({ 'b.md': 'b' })
    await done(grace.run('push'))
    ada.repo.git('fetch', '--quiet')
    await done(ada.set('canary', 'v1.1.0'))
    await done(ada.run('push', '--tags'))
    ada.repo.commit({ 'a.md': 'a' })
    await refused(
      remote,
      ada.run('push', '--tags'),
      /main: origin\/main has commits that are not here/,
      /git pull --rebase/,
    )
  })

  test('a tag that the remote protects', async () => {
    const { remote, ada } = team()
    const hook = path.join(remote.dir, 'hooks', 'pre-receive')
    writeFileSync(hook, '#!/bin/sh\ngrep -q /production && { echo "only CI moves production" >&2; exit 1; }\nexit 0\n')
    chmodSync(hook, 0o755)
    await done(ada.set('production', 'v1.1.0'))
    await refused(
      remote,
      ada.run('push', '--tags', '--force'),
      /production: origin rejected it: pre-receive hook declined: only CI moves production/,
      /hint: it is protected there/,
    )
  })
})

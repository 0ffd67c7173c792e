import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

import { Repo, temporaryFolder } from '../../cli/support/repo.mjs'

const ALL_HEADS = '+refs/heads/*:refs/remotes/origin/*'
const ALL_TAGS = '+refs/tags/*:refs/tags/*'
const STAGING = 'refs/tags/components/prompts/x/staging'

/** A folder with a clone that is made by these arguments of `git clone`. */
function cloned(url, ...args) {
  const repo = new Repo(temporaryFolder('shape'))
  repo.git('clone', '--quiet', ...args, url, '.')
  return repo
}

/** What a CI runner does: init, a remote, a fetch of what it was asked for, a checkout. */
function fetched(url, refspecs, checkout, ...flags) {
  const repo = new Repo()
  repo.git('remote', 'add', 'origin', url)
  repo.git('fetch', '--quiet', ...flags, 'origin', ...refspecs)
  repo.git('checkout', '--quiet', ...checkout)
  return repo
}

function worktree(url) {
  const [main, tree] = [cloned(url), new Repo(path.join(temporaryFolder('shape'), 'tree'))]
  main.git('worktree', 'add', '--quiet', '--detach', tree.dir, 'HEAD~1')
  return tree
}

/** As actions/checkout leaves the tag that it checks out, of all tags. */
function lightweight(url) {
  const repo = cloned(url)
  const tags = repo.git('for-each-ref', '--format=%(refname)', 'refs/tags').split('\n')
  for (const tag of tags) repo.git('update-ref', tag, `${tag}^{commit}`)
  return repo
}

function withDefaultBranch(url) {
  const repo = fetched(url, [ALL_HEADS, ALL_TAGS], ['-B', 'work', 'origin/main'])
  repo.git('config', 'init.defaultBranch', 'main')
  return repo
}

/** Every kind of clone that CI makes and people have, as it is after the last change of the remote. */
export const SHAPES = {
  full: (url) => cloned(url),
  shallow: (url) => cloned(url, '--depth=2', '--no-single-branch'),
  'depth 1 of a branch': (url) => cloned(url, '--depth=1', '--branch=main'),
  'depth 1 of a tag': (url) => cloned(url, '--depth=1', '--branch=components/prompts/x/v1.0.0'),
  'single branch without tags': (url) => cloned(url, '--single-branch', '--no-tags', '--branch=main'),
  blobless: (url) => cloned(url, '--filter=blob:none'),
  treeless: (url) => cloned(url, '--filter=tree:0'),
  sparse: (url) => cloned(url, '--filter=blob:none', '--sparse'),
  mirror: (url) => cloned(url, '--mirror'),
  bare: (url) => cloned(url, '--bare'),
  worktree,
  'init and fetch of one tag': (url) => fetched(url, [`+${STAGING}:${STAGING}`], [STAGING], '--depth=1', '--no-tags'),
  'another name of the remote': (url) => cloned(url, '--origin=team'),
  'main beside the default branch': (url) => fetched(url, [ALL_HEADS, ALL_TAGS], ['-B', 'main', 'origin/main']),
  'init.defaultBranch': withDefaultBranch,
  'lightweight tags': lightweight,
}

/** The clones that are made before the remote changes. */
export const OLD_SHAPES = {
  'reused workspace': (url) => cloned(url),
  'old default branch': (url) => cloned(url, '--branch=develop'),
}

/** All of a clone that is its owner's, to compare two moments. */
export function users(repo) {
  const dir = path.resolve(repo.dir, repo.git('rev-parse', '--git-common-dir'))
  const read = (name) => (existsSync(path.join(dir, name)) ? readFileSync(path.join(dir, name), 'utf8') : null)
  return {
    refs: repo.git('for-each-ref'),
    head: repo.git('rev-parse', 'HEAD'),
    symbolic: read('HEAD'),
    objects: repo.git('count-objects', '-v'),
    files: Object.fromEntries(['shallow', 'config', 'FETCH_HEAD', 'packed-refs'].map((name) => [name, read(name)])),
    originHead: read('refs/remotes/origin/HEAD'),
  }
}

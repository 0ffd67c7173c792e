import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import path from 'node:path'

import { inRoot } from './paths.mjs'
import { capture, run } from './run.mjs'
import { say, UserError } from './talk.mjs'

export const DEMO = '.demo/shop'
export const DEMO_STATE = '.demo/kv'

const FIXTURES = inRoot('tests', 'fixtures')
const REPOSITORY = inRoot(DEMO)

const registryOf = (repository) => path.join(repository, '.edgit', 'components.json')

function checkGit() {
  if (capture('git', ['--version']) !== null) return
  throw new UserError('Git is missing: install it from https://git-scm.com, then run this again.')
}

/** Identity and origin of the clone: none of the user's machine matters to it. */
async function configure(repository) {
  const git = (...args) => run('git', ['-C', repository, ...args])
  await git('remote', 'remove', 'origin')
  await git('config', 'user.name', 'Example')
  await git('config', 'user.email', 'example@example.com')
  await git('config', 'commit.gpgSign', 'false')
  await git('config', 'tag.gpgSign', 'false')
}

/** The example repository, made anew in `repository`. */
export async function cloneShop(repository) {
  checkGit()
  rmSync(repository, { recursive: true, force: true })
  await run('git', [
    '-c',
    'init.defaultBranch=main',
    'clone',
    '--quiet',
    path.join(FIXTURES, 'shop.bundle'),
    repository,
  ])
  await configure(repository)
  // edgit keeps its registry out of Git; last, so that it marks a complete clone.
  const registry = registryOf(repository)
  mkdirSync(path.dirname(registry), { recursive: true })
  copyFileSync(path.join(FIXTURES, 'shop.components.json'), registry)
}

/**
 * The example repository in `.demo/shop`. It stays as the user left it, unless
 * `fresh` asks for it and its KV anew.
 */
export async function ensureDemo({ fresh = false } = {}) {
  checkGit()
  if (fresh) for (const part of [DEMO, DEMO_STATE]) rmSync(inRoot(part), { recursive: true, force: true })
  if (existsSync(registryOf(REPOSITORY))) return
  say(`Making the example repository in ${DEMO} ...`)
  await cloneShop(REPOSITORY)
}

const commitOf = (tag) =>
  capture('git', ['-C', REPOSITORY, 'rev-parse', '--verify', '--quiet', `refs/tags/${tag}^{commit}`])

/** A move worth showing: production of an example to the version that it is not on. */
export function nextMove() {
  const component = 'components/prompts/extraction'
  const onNewest = commitOf(`${component}/production`) === commitOf(`${component}/v1.1.0`)
  return [`${component}/production`, `${component}/${onNewest ? 'v1.0.0' : 'v1.1.0'}`]
}

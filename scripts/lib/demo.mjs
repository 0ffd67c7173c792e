import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import path from 'node:path'

import { log, UserError } from './cli.mjs'
import { inRoot } from './paths.mjs'
import { capture, run } from './run.mjs'

export const DEMO = '.demo/shop'
export const DEMO_STATE = '.demo/kv'

const FIXTURES = inRoot('tests', 'fixtures')
const REPOSITORY = inRoot(DEMO)

/** @param {string} repository */
const registryOf = (repository) => path.join(repository, '.edgit', 'components.json')

function checkGit() {
  if (capture('git', ['--version']) !== null) return
  throw new UserError('Git is missing: install it from https://git-scm.com, then run this again.')
}

/** Gives the clone an identity, so that the user's own Git configuration has no effect. @param {string} repository */
async function configure(repository) {
  const git = (/** @type {string[]} */ ...args) => run('git', ['-C', repository, ...args])
  await git('remote', 'remove', 'origin')
  await git('config', 'user.name', 'Example')
  await git('config', 'user.email', 'example@example.com')
  await git('config', 'commit.gpgSign', 'false')
  await git('config', 'tag.gpgSign', 'false')
}

/** Creates the example repository in `repository`, and replaces what is there. @param {string} repository */
export async function cloneShop(repository) {
  checkGit()
  rmSync(repository, { recursive: true, force: true })
  const bundle = path.join(FIXTURES, 'shop.bundle')
  await run('git', ['-c', 'init.defaultBranch=main', 'clone', '--quiet', bundle, repository])
  await configure(repository)
  // edgit keeps its registry out of Git. It is copied last, so that it marks a complete clone.
  const registry = registryOf(repository)
  mkdirSync(path.dirname(registry), { recursive: true })
  copyFileSync(path.join(FIXTURES, 'shop.components.json'), registry)
}

/**
 * Creates the example repository in `.demo/shop`, unless it exists. `fresh` replaces it and its KV.
 *
 * @param {{ fresh?: boolean }} [options]
 */
export async function ensureDemo({ fresh = false } = {}) {
  checkGit()
  if (fresh) for (const part of [DEMO, DEMO_STATE]) rmSync(inRoot(part), { recursive: true, force: true })
  if (existsSync(registryOf(REPOSITORY))) return
  log(`Creating the example repository in ${DEMO} ...`)
  await cloneShop(REPOSITORY)
}

/** @param {string} tag */
const commitOf = (tag) =>
  capture('git', ['-C', REPOSITORY, 'rev-parse', '--verify', '--quiet', `refs/tags/${tag}^{commit}`])

/** The arguments of `git tag -f` that move an example's production slot to its other version. */
export function nextMove() {
  const component = 'components/prompts/extraction'
  const onNewest = commitOf(`${component}/production`) === commitOf(`${component}/v1.1.0`)
  return [`${component}/production`, `${component}/${onNewest ? 'v1.0.0' : 'v1.1.0'}`]
}

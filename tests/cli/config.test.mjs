// Which namespaces slotctl writes to: those that wrangler itself would bind, by the real wrangler's
// word; ids by options and variables; and ids that are left to wrangler.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

import { QUIET_ENV } from '../../scripts/lib/dev-server.mjs'
import { ownNode, wranglerScript } from '../../scripts/lib/node-tools.mjs'
import { ACCOUNT, startCloudflare, TOKEN } from './support/cloudflare.mjs'
import { startKv } from './support/kv.mjs'
import { extractionRepo, temporaryFolder } from './support/repo.mjs'
import { gitEnv, slotctl } from './support/slotctl.mjs'

const REPO = extractionRepo().dir
const OTHER_ACCOUNT = 'fedcba9876543210fedcba9876543210'

let kv
let cloudflare
/** The ids of two pairs of namespaces. */
let A
let B
before(async () => {
  kv = await startKv({ pairs: 3 })
  cloudflare = await startCloudflare(kv.url)
  A = kv.pair().ids
  B = kv.pair().ids
})
after(() => {
  cloudflare?.stop()
  return kv?.stop()
})

/** @param {{ slots?: string, components?: string }} ids */
const toml = ({ slots, components }, table = 'kv_namespaces') =>
  `[[${table}]]\nbinding = "SLOTS"\n${slots ? `id = "${slots}"\n` : ''}[[${table}]]\nbinding = "COMPONENTS"\n${components ? `id = "${components}"\n` : ''}`

const HEAD = 'name = "resolver"\nmain = "worker.mjs"\ncompatibility_date = "2026-10-01"\n'

/** JSON with a comment and trailing commas, as wrangler allows. */
const jsonc = (ids, more = '') => `{
  // The resolver's
  "name": "resolver", "main": "worker.mjs", "compatibility_date": "2026-10-01",${more}
  "kv_namespaces": [{ "binding": "SLOTS", "id": "${ids.slots}" }, { "binding": "COMPONENTS", "id": "${ids.components}" },],
}`

const OTHER_APP =
  '{ "name": "shop", "main": "worker.mjs", "compatibility_date": "2026-10-01", "kv_namespaces": [{ "binding": "CARTS", "id": "0123456789abcdef0123456789abcdef" }] }'

/** A folder with these files, and a Worker beside each configuration. */
function folder(files) {
  const root = temporaryFolder('config')
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(root, name)
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, text)
    writeFileSync(path.join(path.dirname(file), 'worker.mjs'), 'export default { fetch: () => new Response("ok") }\n')
  }
  return root
}

/** Plans a sync to Cloudflare from `cwd`. */
const plan = (cwd, args = [], env = {}) =>
  slotctl(['sync', '--dry-run', '--json', '--repo', REPO, ...args], {
    cwd,
    env: gitEnv({
      CLOUDFLARE_API_TOKEN: TOKEN,
      CLOUDFLARE_ACCOUNT_ID: ACCOUNT,
      CLOUDFLARE_API_BASE_URL: cloudflare.url,
      ...env,
    }),
  })

/** What the real wrangler would bind, from the same folder. */
function wrangler(cwd, args = [], env = {}) {
  const all = ['--no-warnings', wranglerScript(), 'deploy', '--dry-run', ...args]
  const { PATH, HOME } = process.env
  return new Promise((resolve) => {
    execFile(
      ownNode(),
      all,
      { cwd, env: { PATH, HOME, NO_COLOR: '1', CI: '1', ...QUIET_ENV, ...env } },
      (error, stdout, stderr) => {
        const id = (name) => new RegExp(`env\\.${name} \\(([0-9a-f]{32})\\)`).exec(stdout)?.[1]
        resolve({ code: error?.code ?? 0, slots: id('SLOTS'), components: id('COMPONENTS'), said: stdout + stderr })
      },
    )
  })
}

describe('slotctl writes where wrangler binds', () => {
  const redirect = '{"configPath":"../../dist/wrangler.json"}'
  const twice = () => `${HEAD}${toml(A)}[[kv_namespaces]]\nbinding = "SLOTS"\nid = "${B.slots}"\n`
  for (const [what, files, { from = '.', args = [], env = {}, refused } = {}] of /** @type {[
    what: string,
    files: () => Record<string, string>,
    run?: { from?: string, args?: string[], env?: Record<string, string>, refused?: RegExp },
  ][]} */ ([
    ['wrangler.toml', () => ({ 'wrangler.toml': HEAD + toml(A) })],
    ['wrangler.jsonc alone', () => ({ 'wrangler.jsonc': jsonc(A) })],
    ['wrangler.json with comments', () => ({ 'wrangler.json': jsonc(A) })],
    ['a file of a parent folder', () => ({ 'wrangler.toml': HEAD + toml(A), 'deep/er/x': '' }), { from: 'deep/er' }],
    ['two files that say the same', () => ({ 'wrangler.jsonc': jsonc(A), 'wrangler.toml': HEAD + toml(A) })],
    [
      'a file by --config',
      () => ({ 'wrangler.jsonc': jsonc(A), 'mine.toml': HEAD + toml(B) }),
      { args: ['--config', 'mine.toml'] },
    ],
    [
      'the environment of --env',
      () => ({ 'wrangler.toml': HEAD + toml(B) + toml(A, 'env.staging.kv_namespaces') }),
      { args: ['--env', 'staging'] },
    ],
    [
      'the environment of CLOUDFLARE_ENV',
      () => ({ 'wrangler.toml': HEAD + toml(B) + toml(A, 'env.staging.kv_namespaces') }),
      { env: { CLOUDFLARE_ENV: 'staging' } },
    ],
    [
      '--env before CLOUDFLARE_ENV',
      () => ({ 'wrangler.toml': HEAD + toml(A) + toml(B, 'env.staging.kv_namespaces') }),
      { args: ['--env', ''], env: { CLOUDFLARE_ENV: 'staging' } },
    ],
    [
      'what a build tool made',
      () => ({
        'wrangler.toml': HEAD + toml(B),
        '.wrangler/deploy/config.json': redirect,
        'dist/wrangler.json': jsonc(A),
      }),
    ],
    [
      'two bindings of one name, refused by both',
      () => ({ 'wrangler.toml': twice() }),
      { refused: /binds SLOTS more than once, which wrangler refuses/ },
    ],
    [
      'an unknown environment, refused by both',
      () => ({ 'wrangler.toml': HEAD + toml(A) + toml(A, 'env.production.kv_namespaces') }),
      { args: ['--env', 'prod'], refused: /there is no environment `prod` \(did you mean `production`\?\)/ },
    ],
  ])) {
    test(what, async () => {
      const cwd = path.join(folder(files()), from)
      const [own, real] = await Promise.all([plan(cwd, args, env), wrangler(cwd, args, env)])
      if (refused) {
        assert.equal(own.code, 1, own.stderr)
        assert.match(own.stderr.replace(/\s+/g, ' '), refused)
        assert.notEqual(real.code, 0, real.said)
        return
      }
      assert.equal(own.code, 0, own.stderr)
      assert.ok(real.slots && real.components, real.said)
      const { slots, components } = own.json.target
      assert.deepEqual({ slots, components }, { slots: real.slots, components: real.components })
    })
  }

  test('never to those of another app: two files of the resolver that differ are refused', async () => {
    for (const files of [
      { 'wrangler.jsonc': jsonc(A), 'wrangler.toml': HEAD + toml(B) },
      { '../wrangler.jsonc': jsonc(A), 'wrangler.toml': HEAD + toml(B) },
    ]) {
      const root = folder(
        Object.fromEntries(Object.entries(files).map(([name, text]) => [path.join('app', name), text])),
      )
      const { code, stderr } = await plan(path.join(root, 'app'))
      assert.equal(code, 1)
      assert.match(
        stderr,
        /wrangler\.jsonc and .*wrangler\.toml both bind SLOTS and COMPONENTS, and differ: .*`--config FILE`/s,
      )
    }
  })

  test('another app in a parent folder does not hide the resolver', async () => {
    const cwd = path.join(folder({ 'wrangler.jsonc': OTHER_APP, 'app/wrangler.toml': HEAD + toml(A) }), 'app')
    const { code, json, stderr } = await plan(cwd)
    assert.equal(code, 0, stderr)
    assert.equal(json.target.slots, A.slots)
  })

  test('an environment that only a .env file names is not overlooked', async () => {
    const cwd = folder({
      'wrangler.toml': HEAD + toml(B) + toml(A, 'env.staging.kv_namespaces'),
      '.env': 'CLOUDFLARE_ENV=staging\n',
    })
    assert.equal((await wrangler(cwd)).slots, A.slots, 'wrangler reads it')
    const refused = await plan(cwd)
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /\.env sets CLOUDFLARE_ENV/)
    assert.equal((await plan(cwd, ['--env', 'staging'])).json.target.slots, A.slots)
  })
})

describe('without a configuration', () => {
  const given = () => ['--slots-id', A.slots, '--components-id', A.components]
  const variables = () => ({ SLOTCTL_SLOTS_ID: A.slots, SLOTCTL_COMPONENTS_ID: A.components })

  test('ids come from options or variables', async () => {
    const cwd = temporaryFolder('components')
    for (const { json, stderr } of [await plan(cwd, given()), await plan(cwd, [], variables())]) {
      assert.equal(json.target?.slots, A.slots, stderr)
      assert.equal(json.target.components, A.components)
    }
  })

  test('and without ids it says what to do', async () => {
    const { code, stderr } = await plan(temporaryFolder('components'))
    assert.equal(code, 1)
    assert.match(
      stderr,
      /there is no wrangler\.json, wrangler\.jsonc or wrangler\.toml.*\n? +hint: say --config FILE, or --slots-id ID --components-id ID/s,
    )
  })

  test('an id that the configuration contradicts is refused, with both named', async () => {
    const cwd = folder({ 'wrangler.toml': HEAD + toml(B) })
    const { code, stderr } = await plan(cwd, given())
    assert.equal(code, 1)
    for (const part of [A.slots, B.slots, '--slots-id', 'wrangler.toml']) assert.ok(stderr.includes(part), stderr)
  })

  test('a wrangler dev says itself what it serves, by its address or its port', async () => {
    const root = folder({ 'wrangler.toml': HEAD + toml({ slots: 'one', components: 'two' }) })
    const { startDev } = await import('../../scripts/lib/dev-server.mjs')
    const dev = await startDev({
      port: 0,
      config: path.join(root, 'wrangler.toml'),
      persistTo: path.join(root, 'state'),
      quiet: true,
      isolated: true,
    })
    try {
      // Also under another app's configuration, which has nothing to do with it.
      for (const cwd of [temporaryFolder('components'), folder({ 'wrangler.jsonc': OTHER_APP })]) {
        for (const where of [dev.url, new URL(dev.url).port]) {
          const { code, json, stderr } = await slotctl(['sync', '--local', where, '--json', '--repo', REPO], {
            cwd,
            env: gitEnv(),
          })
          assert.equal(code, 0, stderr)
          assert.deepEqual([json.target.slots, json.target.components], ['one', 'two'])
        }
      }
    } finally {
      await dev.stop()
    }
    const { code, stderr } = await slotctl(['sync', '--local', kv.url, '--repo', REPO], {
      cwd: temporaryFolder('components'),
      env: gitEnv(),
    })
    assert.equal(code, 1)
    assert.match(stderr, /binds no namespace as SLOTS \(did you mean `SLOTS_\d+`\?\): does it serve the resolver\?/)
  })
})

describe('ids that are left to wrangler', () => {
  const leftOut = HEAD + toml({}) + toml({}, 'env.staging.kv_namespaces')
  const NAMESPACES = `/client/v4/accounts/${ACCOUNT}/storage/kv/namespaces`
  const answer = (status, more) => ({
    status,
    text: JSON.stringify({ success: status === 200, errors: [], result: null, ...more }),
  })

  /**
   * The account: the bindings of its Workers, and its namespaces by title.
   *
   * @param {{ bindings?: Record<string, object[]>, titles?: Record<string, string> }} account
   */
  function account({ bindings, titles = {} }) {
    cloudflare.interfere = ({ path: asked }) => {
      const [where] = asked.split('?')
      const [, worker] = /\/workers\/scripts\/([\w-]+)\/settings$/.exec(where) ?? []
      if (worker)
        return bindings?.[worker]
          ? answer(200, { result: { bindings: bindings[worker] } })
          : answer(bindings ? 404 : 403, { errors: [{ code: 10007, message: 'no' }] })
      if (where !== NAMESPACES && where !== '') return null
      const all = Object.entries(titles).map(([title, id]) => ({ id, title }))
      return answer(200, { result: all, result_info: { total_count: all.length } })
    }
  }
  after(() => (cloudflare.interfere = () => null))

  const bound = (name, id) => ({ type: 'kv_namespace', name, namespace_id: id })

  test('are those of the Worker as it is deployed', async () => {
    account({ bindings: { 'resolver-staging': [bound('SLOTS', A.slots), bound('COMPONENTS', A.components)] } })
    const { json, stderr } = await plan(folder({ 'wrangler.toml': leftOut }), ['--env', 'staging'])
    assert.deepEqual([json.target?.slots, json.target?.components], [A.slots, A.components], stderr)
  })

  test('or of the titles that wrangler gives, where the token may not read Workers', async () => {
    account({
      titles: { 'resolver-slots': B.slots, 'resolver-components': B.components, 'resolver-staging-slots': A.slots },
    })
    const { json, stderr } = await plan(folder({ 'wrangler.toml': leftOut }))
    assert.deepEqual([json.target?.slots, json.target?.components], [B.slots, B.components], stderr)
  })

  test('and are asked for before anything is done', async () => {
    account({ bindings: {} })
    const { code, stderr } = await plan(folder({ 'wrangler.toml': leftOut }))
    assert.equal(code, 1)
    assert.match(stderr, /no namespace with the title `resolver-slots`.* hint: deploy resolver first/s)
  })
})

describe('the account', () => {
  test('is that of the configuration', async () => {
    const cwd = folder({ 'wrangler.toml': `account_id = "${ACCOUNT}"\n${HEAD}${toml(A)}` })
    const { code, json, stderr } = await plan(cwd, [], { CLOUDFLARE_ACCOUNT_ID: '' })
    assert.equal(code, 0, stderr)
    assert.equal(json.target.kv, `Cloudflare account ${ACCOUNT}`)
  })

  test('is refused where the variable names another', async () => {
    const cwd = folder({ 'wrangler.toml': `account_id = "${OTHER_ACCOUNT}"\n${HEAD}${toml(A)}` })
    const { code, stderr } = await plan(cwd)
    assert.equal(code, 1)
    for (const part of [OTHER_ACCOUNT, ACCOUNT, 'account_id', 'CLOUDFLARE_ACCOUNT_ID'])
      assert.ok(stderr.includes(part), stderr)
  })

  test('that has used up its day is not asked again, and is told until when', async () => {
    const text = JSON.stringify({ success: false, errors: [{ code: 10048, message: 'limit exceeded' }], result: null })
    cloudflare.interfere = ({ method }) => (method === 'PUT' ? { status: 429, text } : null)
    cloudflare.calls.length = 0
    const { code, stderr } = await slotctl(['sync', '--repo', REPO], {
      cwd: folder({ 'wrangler.toml': HEAD + toml(B) }),
      env: gitEnv({
        CLOUDFLARE_API_TOKEN: TOKEN,
        CLOUDFLARE_ACCOUNT_ID: ACCOUNT,
        CLOUDFLARE_API_BASE_URL: cloudflare.url,
      }),
    })
    cloudflare.interfere = () => null
    assert.equal(code, 1)
    assert.match(stderr, /code 10048.*until 00:00 UTC/s)
    assert.doesNotMatch(stderr, /again in/)
    assert.equal(cloudflare.calls.filter(({ method }) => method === 'PUT').length, 1)
  })
})

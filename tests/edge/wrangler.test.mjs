import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import test, { after, before } from 'node:test'

import { QUIET_ENV } from '../../scripts/lib/dev-server.mjs'
import { ownNode, wranglerScript } from '../../scripts/lib/node-tools.mjs'
import { ROOT } from '../../scripts/lib/paths.mjs'
import { temporaryFolder } from '../cli/support/repo.mjs'
import { edgeWith, scriptVersion, WORKER, WRANGLER } from './support/edge.mjs'

const REAL = [ownNode(), '--no-warnings', wranglerScript()]
const STAND_IN = [ownNode(), WRANGLER]
const ENV = ['--config', 'wrangler.toml', '--env', 'staging']

let shared
before(async () => {
  shared = await edgeWith(12)
  await shared.edge.deploy([[shared.ids[0], 100]], { message: 'first' })
})
after(() => shared?.stop())

let runs = 0
/**
 * Runs one of the two programs. `entries` are those of its output file, `json` its printed JSON.
 *
 * @param {string[]} program @param {string[]} args
 */
function run([command, ...prefix], args, edge = shared.edge, extra = {}) {
  runs += 1
  const file = path.join(temporaryFolder('output'), `${runs}.ndjson`)
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    ...QUIET_ENV,
    RESOLVER_PREBUILT: '1',
    CI: '1',
    NO_COLOR: '1',
    WRANGLER_OUTPUT_FILE_PATH: file,
    EDGE_API: edge.apiUrl,
    CLOUDFLARE_API_BASE_URL: edge.apiUrl,
    CLOUDFLARE_API_TOKEN: 'any',
    CLOUDFLARE_ACCOUNT_ID: '0'.repeat(32),
    ...extra,
  }
  return new Promise((resolve) => {
    const child = execFile(command, [...prefix, ...args], { env, cwd: ROOT }, (error, stdout, stderr) => {
      const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
      const json = args.includes('--json') && !error ? JSON.parse(stdout) : undefined
      resolve({ code: error?.code ?? 0, stdout, stderr, json, entries: lines.map((line) => JSON.parse(line)) })
    })
    child.stdin.end()
  })
}

const both = (args, edge) => Promise.all([run(REAL, args, edge), run(STAND_IN, args, edge)])

/** The members and their types, without their values. */
function shape(value) {
  if (Array.isArray(value)) return value.map(shape)
  if (value === null || typeof value !== 'object') return typeof value
  return Object.fromEntries(
    Object.entries(value)
      .sort()
      .map(([name, member]) => [name, shape(member)]),
  )
}

const entry = ({ entries }, type) => entries.find((candidate) => candidate.type === type)

/** wrangler takes a second to start. */
const inParallel = (t, cases, check) => Promise.all(cases.map(([name, args]) => t.test(name, () => check(args))))

const READS = /** @type {[name: string, args: (stage: typeof shared) => string[]][]} */ ([
  ['the active deployment', () => ['deployments', 'status', '--json', ...ENV]],
  ['the deployments', () => ['deployments', 'list', '--json', ...ENV]],
  ['the versions, of which wrangler shows ten', () => ['versions', 'list', '--json', ...ENV]],
  ['one version, of a Worker by its name', ({ ids }) => ['versions', 'view', ids[3], '--json', '--name', WORKER]],
])

test('the stand-in prints what wrangler prints', async (t) => {
  await inParallel(t, READS, async (args) => {
    const [real, standIn] = await both(args(shared))
    assert.equal(real.code, 0, real.stderr)
    assert.equal(standIn.stdout, real.stdout)
  })
  const { json } = await run(STAND_IN, READS[2][1](shared))
  assert.deepEqual(
    json.map(({ id }) => id),
    shared.ids.slice(-10),
  )
})

test('an upload by either makes a version, with the same output', async () => {
  const args = ['versions', 'upload', '--tag', 'v9', '--message', 'Nine', ...ENV]
  const [real, standIn] = await both(args)
  const versions = [real, standIn].map((result) => {
    assert.equal(result.code, 0, result.stderr)
    const { version_id: id, worker_name: worker } = entry(result, 'version-upload')
    assert.equal(worker, WORKER)
    return shared.edge.worker.version(id).shown
  })
  const [ours, theirs] = versions.map(({ metadata, annotations }) => ({ metadata: shape(metadata), annotations }))
  assert.deepEqual(ours, theirs)
  assert.deepEqual(versions[0].annotations, {
    'workers/tag': 'v9',
    'workers/message': 'Nine',
    'workers/triggered_by': 'version_upload',
  })
  // Only wrangler prints sizes; the output file has everything that a program needs.
  const { bundle_size: _, ...told } = entry(real, 'version-upload')
  assert.deepEqual(shape(entry(standIn, 'version-upload')), shape(told))
  // The bundle of wrangler runs, with the bindings of wrangler.toml.
  await shared.edge.deploy([[versions[0].id, 100]])
  assert.equal(await scriptVersion(shared.edge.url), versions[0].id)
})

test('a deployment by either has the given versions, in the given order', async () => {
  const {
    ids: [old, next],
    edge,
  } = shared
  for (const command of [REAL, STAND_IN]) {
    for (const specs of [[`${next}@12.5%`, `${old}@87.5%`], [`${old}@100%`]]) {
      const result = await run(command, ['versions', 'deploy', ...specs, '--yes', '--message', 'Why', ...ENV])
      assert.equal(result.code, 0, result.stderr)
      const [{ id, versions, annotations }] = edge.worker.deployments()
      assert.deepEqual(
        versions.map(({ version_id, percentage }) => `${version_id}@${percentage}%`),
        specs,
      )
      assert.equal(annotations['workers/message'], 'Why')
      const { timestamp: _, ...told } = entry(result, 'version-deploy')
      assert.deepEqual(told, {
        type: 'version-deploy',
        version: 1,
        worker_name: WORKER,
        worker_tag: '0'.repeat(32),
        deployment_id: id,
        version_traffic: {},
      })
    }
  }
})

const UNKNOWN = '11111111-2222-4333-8444-555555555555'
const REFUSED = [
  ['an unknown version', () => ['versions', 'deploy', `${UNKNOWN}@100%`, '--yes', ...ENV]],
  ['three versions', ({ ids: [a, b, c] }) => ['versions', 'deploy', `${a}@1%`, `${b}@1%`, `${c}@98%`, '--yes', ...ENV]],
  ['shares that are not all', ({ ids: [a, b] }) => ['versions', 'deploy', `${a}@1%`, `${b}@98%`, '--yes', ...ENV]],
  ['a view of an unknown version', () => ['versions', 'view', UNKNOWN, '--json', ...ENV]],
  ['an unknown Worker', () => ['deployments', 'status', '--json', '--env', 'green']],
]

test('a refused call fails in both and changes nothing', async (t) => {
  const before = shared.edge.worker.deployments()[0].id
  await inParallel(t, REFUSED, async (args) => {
    const results = await both(args(shared))
    for (const result of results) {
      assert.equal(result.code, 1, result.stdout)
      assert.equal(entry(result, 'command-failed').version, 1)
    }
    const [real, standIn] = results.map((result) => entry(result, 'command-failed').code)
    // wrangler refuses some calls itself, without a code of the API.
    if (real !== undefined) assert.equal(standIn, real)
  })
  assert.equal(shared.edge.worker.deployments()[0].id, before)
})

test('a Worker without a deployment has no status', async () => {
  const { edge, stop } = await edgeWith(1)
  try {
    for (const { code, stderr, stdout } of await both(['deployments', 'status', '--json', ...ENV], edge)) {
      assert.equal(code, 1)
      assert.match(stdout + stderr, /The Worker component-resolver-staging has no deployments\./)
    }
  } finally {
    await stop()
  }
})

test('the stand-in reports what is missing', async () => {
  const upload = ['versions', 'upload', ...ENV]
  const CASES = /** @type {[args: string[], env: Record<string, string>, expected: RegExp][]} */ ([
    [upload, { EDGE_API: '' }, /EDGE_API is not set: `npm run edge` prints its value/],
    [upload, { EDGE_API: 'http://127.0.0.1:9' }, /The local edge at http:\/\/127\.0\.0\.1:9 does not answer/],
    [upload, { EDGE_BUILD: '/nowhere' }, /\/nowhere\/index\.js is missing: run `npm run build`/],
    [['deploy'], {}, /supports only: versions upload, versions deploy/],
    [['versions', 'list', '--unknown'], {}, /Unknown option '--unknown'/],
    [['versions', 'deploy', 'abc', ...ENV], {}, /abc: expected <version-id>@<percentage>/],
    [['deployments', 'status', ...ENV, '--config', 'none.toml'], {}, /none\.toml does not exist/],
  ])
  for (const [args, extra, expected] of CASES) {
    const { code, stderr } = await run(STAND_IN, args, shared.edge, extra)
    assert.equal(code, 1, stderr)
    assert.match(stderr, new RegExp(`^✘ \\[ERROR\\] .*${expected.source}`))
  }
})

test('the API needs a token, which a page in a browser cannot send', async () => {
  const path = `accounts/x/workers/scripts/${WORKER}/versions`
  const answer = await fetch(`${shared.edge.apiUrl}/${path}`)
  assert.equal(answer.status, 403)
  assert.deepEqual(/** @type {any} */ (await answer.json()).errors, [{ code: 10000, message: 'Authentication error' }])
  const preflight = await fetch(`${shared.edge.apiUrl}/${path}`, { method: 'OPTIONS' })
  assert.equal(preflight.headers.get('access-control-allow-headers'), null)
})

const bearer = { authorization: 'Bearer any' }
const form = (metadata, parts = {}) => {
  const body = new FormData()
  body.set('metadata', typeof metadata === 'string' ? metadata : JSON.stringify(metadata))
  for (const [name, type] of Object.entries(parts)) body.set(name, new File(['export default {}'], name, { type }))
  return body
}
const MODULE = 'application/javascript+module'
const HOSTILE = /** @type {[name: string, body: string | FormData, expected: RegExp][]} */ ([
  ['no form', 'text', /is not a form/],
  ['metadata that is no JSON', form('{'), /is not JSON/],
  ['an entry that is not there', form({ main_module: 'a.js' }, { 'b.js': MODULE }), /main_module a.js: no such part/],
  [
    'a module of an unknown type',
    form({ main_module: 'a.js' }, { 'a.js': MODULE, 'b.py': 'text/x-python' }),
    /does not support text\/x-python/,
  ],
  [
    'a binding that is not here',
    form({ main_module: 'a.js', bindings: [{ type: 'd1', name: 'DB' }] }, { 'a.js': MODULE }),
    /does not support d1/,
  ],
  [
    'a type of binding of an object',
    form({ main_module: 'a.js', bindings: [{ type: 'constructor', name: 'X' }] }, { 'a.js': MODULE }),
    /does not support constructor/,
  ],
  [
    'a namespace that is not here',
    form({ main_module: 'a.js', bindings: [{ type: 'kv_namespace', name: 'K' }] }, { 'a.js': MODULE }),
    /SLOTS, COMPONENTS/,
  ],
])

test('an invalid upload is refused', async (t) => {
  const url = `${shared.edge.apiUrl}/accounts/x/workers/scripts/${WORKER}/versions`
  for (const [name, body, expected] of HOSTILE) {
    await t.test(name, async () => {
      const answer = await fetch(url, { method: 'POST', headers: bearer, body })
      assert.equal(answer.status, 400)
      assert.match(/** @type {any} */ (await answer.json()).errors[0].message, expected)
    })
  }
  // The name of a module is not used as a path.
  const deep = form({ main_module: 'no/such/folder/a.js' }, { 'no/such/folder/a.js': MODULE })
  const answer = await fetch(url, { method: 'POST', headers: bearer, body: deep })
  assert.equal(answer.status, 200, await answer.text())
})

// One JSON line per request, without data that a caller controls or that is private.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import net from 'node:net'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'

import { serveVectors } from './vectors.mjs'

const SCRIPT = { scriptVersion: '11111111-2222-4333-8444-555555555555', scriptVersionTag: 'v0.1.0' }
const MEMBERS = [
  'method',
  'status',
  'code',
  'component',
  'ref',
  'slot',
  'version',
  'assignment',
  'kvReads',
  'source',
  'stale',
  'scriptVersion',
  'scriptVersionTag',
]
// Part of everything that a caller sends and that must not be logged.
const MARK = 'hush-7f3a'
const SLOT = '/components/prompts/extraction@production'
const BEARER = { Authorization: `Bearer ${MARK}` }
const TOKENS = { [createHash('sha256').update(MARK).digest('hex')]: ['*'] }

let worker
before(async () => {
  ;({ worker } = await serveVectors('splits.json', { vars: { READ_TOKENS: JSON.stringify(TOKENS) } }))
})
after(() => worker.stop())

async function until(done) {
  const deadline = Date.now() + 5_000
  while (!done() && Date.now() < deadline) await pause(10)
}

/** The output since `from`, after `work` has caused `word` in it. */
async function outputUntil(word, from, work) {
  await work()
  await until(() => worker.output.slice(from).includes(word))
  return worker.output.slice(from)
}

/** The log lines of the Worker while `work` makes `count` requests. */
async function logged(count, work) {
  const from = worker.output.length
  await work()
  const lines = () => worker.output.slice(from).split('\n').filter(Boolean)
  await until(() => lines().length >= count)
  assert.equal(lines().length, count, lines().join('\n'))
  return lines().map((line) => JSON.parse(line))
}

async function logOf(request) {
  const [line] = await logged(1, () => worker.rawRequest(request))
  return line
}

describe('a log line', () => {
  test('contains the request and the answer', async () => {
    const headers = { ...BEARER, 'Component-Version-Key': 'u15' }
    assert.deepEqual(await logOf({ path: SLOT, headers }), {
      method: 'GET',
      status: 200,
      component: 'prompts/extraction',
      ref: 'production',
      slot: 'canary',
      version: 'v1.1.0',
      assignment: 'key',
      kvReads: 2,
      source: 'kv',
      ...SCRIPT,
    })
  })

  test('contains the reason of an error, and that an answer was stale', async () => {
    const refused = await logOf({ path: SLOT })
    assert.deepEqual(refused, {
      method: 'GET',
      status: 401,
      code: 'TOKEN_REQUIRED',
      kvReads: 0,
      source: 'none',
      ...SCRIPT,
    })
    worker.kv.fail({ status: 500 }, { namespace: 'SLOTS' })
    const stale = await logOf({ path: SLOT, headers: { ...BEARER, 'Component-Version-Key': 'u15' } })
    const dark = await logOf({ path: '/components/prompts/extraction@dark', headers: BEARER })
    worker.kv.heal()
    assert.deepEqual([stale.status, stale.stale], [200, 0])
    assert.deepEqual([dark.status, dark.code], [503, 'STORE_UNAVAILABLE'])
  })

  test('contains the script version, like the answer, whatever the status', async () => {
    const bad = worker.kv.store
      .entry('SLOTS', 'prompts/extraction@production')
      .value.toString()
      .replace('"format":1', '"format":9')
    worker.kv.put('SLOTS', 'prompts/extraction@later', bad)
    const asked = /** @type {[status: number, request: { path: string, method?: string, headers?: object }][]} */ ([
      [200, { path: SLOT }],
      [200, { path: SLOT }],
      [304, { path: SLOT, headers: { 'If-None-Match': '*' } }],
      [400, { path: '/components/prompts/extraction@a%20b' }],
      [404, { path: '/components/prompts/extraction@nowhere' }],
      [404, { path: '/nothing' }],
      [405, { path: SLOT, method: 'DELETE' }],
      [414, { path: `/${'a'.repeat(9_000)}` }],
      [502, { path: '/components/prompts/extraction@later' }],
      [200, { path: '/version' }],
      [200, { path: '/healthz' }],
      [503, { path: '/catalog' }],
      [204, { path: SLOT, method: 'OPTIONS' }],
    ])
    for (const [status, request] of asked) {
      const line = await logOf({
        ...request,
        headers: { ...BEARER, 'Component-Version-Key': 'u15', ...request.headers },
      })
      assert.deepEqual(
        [line.status, line.scriptVersion, line.scriptVersionTag],
        [status, ...Object.values(SCRIPT)],
        request.path.slice(0, 80),
      )
    }
  })

  test('contains only known methods', async () => {
    const methods = ['HEAD', 'OPTIONS', 'PROPFIND']
    const lines = await logged(methods.length, async () => {
      for (const method of methods) await worker.rawRequest({ method, path: SLOT, headers: BEARER })
    })
    assert.deepEqual(
      lines.map(({ method }) => method),
      ['HEAD', 'OPTIONS', 'OTHER'],
    )
  })
})

const FORGED = `${MARK}%0d%0a{%22status%22:999}`
const QUOTED = `${MARK}"},{"status":999,"x":"\u00fc`
const HOSTILE = [
  { path: `/components/prompts/extraction@${FORGED}` },
  { path: `/components/prompts/${FORGED}@production` },
  { path: `/components/prompts/a%0a${MARK}` },
  { path: `/${FORGED}` },
  { path: `/catalog/prompts/${FORGED}` },
  { path: `/catalog?cursor=${FORGED}` },
  { path: `/catalog/${FORGED}` },
  { path: `${SLOT}?key=${FORGED}&segment=${FORGED}&${FORGED}` },
  { path: `${SLOT}?explain&key=${FORGED}` },
  { path: `/components/prompts/extraction@%E2%80%A8${MARK}` },
]

// All headers that affect an answer, and some that do not.
const NAMES = [
  'Component-Version-Override',
  'Component-Segment',
  'Component-Version-Key',
  'Cloudflare-Workers-Version-Key',
  'If-None-Match',
  'Origin',
  'User-Agent',
  'Referer',
  'Cookie',
  'Content-Type',
  'Content-Encoding',
  'Range',
  'CF-Connecting-IP',
  'X-Forwarded-For',
]

describe('no data of the caller reaches the log', () => {
  test('from a path, a query, a header or a body', async () => {
    const headers = Object.fromEntries(NAMES.map((name) => [name, QUOTED]))
    const body = JSON.stringify({
      refs: [QUOTED, `prompts/extraction@${QUOTED}`],
      key: MARK,
      segments: [MARK],
      [MARK]: 1,
    })
    const requests = [
      ...HOSTILE.map((request) => ({ ...request, headers: BEARER })),
      { path: SLOT, headers: { ...headers, ...BEARER } },
      { path: SLOT, headers: { ...headers, Authorization: `Basic ${MARK}` } },
      { path: '/resolve', method: 'POST', headers: { ...BEARER, 'Content-Type': 'application/json' }, body },
      { path: '/resolve', method: 'POST', headers: { ...BEARER, 'Content-Type': 'application/json' }, body: QUOTED },
    ]
    const from = worker.output.length
    const lines = await logged(requests.length, async () => {
      for (const request of requests) await worker.rawRequest(request)
    })
    assert.ok(!worker.output.slice(from).includes(MARK), worker.output.slice(from))
    for (const line of lines) {
      assert.deepEqual(
        Object.keys(line).filter((member) => !MEMBERS.includes(member)),
        [],
      )
      assert.notEqual(line.status, 999)
      assert.equal(line.scriptVersion, SCRIPT.scriptVersion)
    }
  })

  // Node's client refuses such a header, so the bytes are sent over a socket.
  test('from a header with line breaks', async () => {
    const from = worker.output.length
    for (const breaks of ['\r\n {"status":999}', '\n{"status":999}', '\r{"status":999}', '\0']) {
      await send(
        `GET ${SLOT} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${MARK}\r\nComponent-Version-Key: ${MARK}${breaks}\r\nConnection: close\r\n\r\n`,
      )
    }
    const output = await outputUntil('ROUTE_UNKNOWN', from, () => worker.fetch('/the-end'))
    assert.ok(!output.includes(MARK) && !output.includes('999'), output)
  })
})

/** Sends bytes and waits until the server closes the connection. */
function send(text) {
  const { port } = new URL(worker.url)
  return new Promise((resolve, reject) => {
    const socket = net.connect(Number(port), '127.0.0.1', () => socket.write(text))
    socket
      .on('data', () => {})
      .on('end', () => socket.end())
      .on('close', resolve)
      .on('error', reject)
  })
}

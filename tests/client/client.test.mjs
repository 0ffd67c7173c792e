// The client with the real Worker in workerd: directly, through a proxy that fails on command, and
// while Workers KV fails.
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { createClient, ResolverError } from '../../client/index.js'
import { startWorker } from '../worker/harness/workerd.mjs'
import { put, readVectors, serveVectors } from '../worker/vectors.mjs'
import { startFlaky } from './flaky.mjs'

const SLOT = 'prompts/extraction@staging'
const SPLIT = 'prompts/extraction@production'
const EXACT = 'prompts/extraction@v1.1.0'
const NEW = 'Extract the fields of “invoice”.\r\n'
const QUICK = { backoff: 1, timeout: 2_000 }

let worker
let script
let flaky
before(async () => {
  ;({ worker, script } = await serveVectors('splits.json', { vars: { KV_TIMEOUT_MS: '400' } }))
  flaky = await startFlaky(worker.url)
})
after(async () => {
  flaky?.stop()
  await worker?.stop()
})
beforeEach(() => {
  flaky.seen = []
  flaky.next = []
  flaky.down = false
})
afterEach(() => worker.kv.heal())

const client = (options) => createClient(flaky.url, { ...QUICK, ...options })

/** The error of a last good answer. @param {import('../../client/index.d.ts').Unavailable} unavailable */
const errorOf = (unavailable) => /** @type {ResolverError} */ (unavailable.error)

/** The error that a promise rejects with. */
async function thrown(promise) {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

describe('a component', () => {
  test('has its content and all metadata', async () => {
    const { bytes, text, json, ...said } = await client().get(SLOT)
    const { digest, sha } = script.kv.COMPONENTS[EXACT]
    assert.equal(text(), NEW)
    assert.deepEqual(Buffer.from(bytes), Buffer.from(NEW))
    assert.throws(json, SyntaxError)
    assert.deepEqual(said, {
      reference: SLOT,
      url: '/components/prompts/extraction@v1.1.0',
      version: 'v1.1.0',
      commit: sha,
      digest,
      type: 'text/markdown; charset=utf-8',
      slot: 'staging',
      assignment: 'sole',
      source: 'resolver',
    })
  })

  test('is revalidated, and unchanged content is not sent again', async () => {
    const own = client()
    const first = await own.get(SLOT)
    const second = await own.get(SLOT)
    assert.equal(flaky.seen[1].headers['if-none-match'], `"${first.digest}"`)
    assert.deepEqual({ ...second, source: 'resolver', text: 0, json: 0 }, { ...first, text: 0, json: 0 })
    assert.equal(second.source, 'memory')
  })

  test('of an exact version is requested only once', async () => {
    const own = client()
    for (let turn = 0; turn < 3; turn += 1) assert.equal((await own.get(EXACT)).text(), NEW)
    assert.equal(flaky.seen.length, 1)
  })

  test('has an encoded path if its reference has special characters', async () => {
    const own = client()
    assert.equal((await own.get('prompts/extraction@>=1.0 <1.1')).version, 'v1.0.0')
    assert.equal((await own.get('prompts/extraction@v1.1.0+build.7')).version, 'v1.1.0+build.7')
    assert.equal((await own.get(`prompts/extraction@sha256:${script.kv.COMPONENTS[EXACT].digest}`)).text(), NEW)
  })

  test('that does not exist or is revoked throws without a retry', async () => {
    for (const [reference, status, code] of /** @type {[reference: string, status: number, code: string][]} */ ([
      ['prompts/extraction@nowhere', 404, 'SLOT_UNKNOWN'],
      ['prompts/extraction@v0.9.0', 410, 'VERSION_REVOKED'],
      ['prompts/extraction@a b', 400, 'REF_INVALID'],
    ])) {
      flaky.seen = []
      const error = await thrown(client().get(reference))
      assert.ok(error instanceof ResolverError)
      assert.deepEqual([error.status, error.code, error.problem.code], [status, code, code])
      assert.ok(error.message.startsWith(`${reference}: ${status} `), error.message)
      assert.equal(flaky.seen.length, 1)
    }
  })
})

describe('the caller', () => {
  test('with the same key gets the same arm, and every arm is revalidated', async () => {
    const own = client()
    const arms = new Map()
    for (let user = 0; user < 60; user += 1) {
      const { slot, assignment } = await own.get(SPLIT, { caller: { key: `user-${user}` } })
      assert.equal(assignment, 'key')
      arms.set(slot, user)
    }
    assert.deepEqual([...arms.keys()].sort(), ['canary', 'production'])
    for (const [slot, user] of arms) {
      const again = await own.forCaller({ key: `user-${user}` }).get(SPLIT)
      assert.deepEqual([again.slot, again.source], [slot, 'memory'])
    }
    assert.equal(flaky.seen.at(-1).headers['if-none-match'].split(', ').length, 2)
  })

  test('with a key that is not ASCII sends it in the query', async () => {
    const over = await createClient(worker.url).get(SPLIT, { caller: { key: 'Jürgen 🌱' } })
    const snapshot = await client().resolve([SPLIT], { caller: { key: 'Jürgen 🌱' } })
    assert.equal(over.assignment, 'key')
    assert.equal(snapshot.resolved[0].slot, over.slot)
  })

  test('sends an override and a segment', async () => {
    const over = await client().get(SPLIT, { caller: { override: 'v1.1.0' } })
    assert.deepEqual([over.assignment, over.version], ['override', 'v1.1.0'])
    const [segment] = Object.keys(script.kv.SLOTS['prompts/extraction@both'].segments)
    const grouped = await client({ caller: { segments: ['none', segment] } }).get('prompts/extraction@both')
    assert.equal(grouped.assignment, 'segment')
  })

  test('of a request is forwarded', async () => {
    const headers = new Headers({
      'Cloudflare-Workers-Version-Key': 'ada',
      'Cloudflare-Workers-Version-Overrides': 'component-resolver="abc"',
      'Component-Version-Override': 'v1.1.0',
      Authorization: 'Bearer not-yours',
      Cookie: 'a=b',
    })
    const overrides = true
    await client({ token: 'own' }).forRequest({ headers }, { overrides }).get(SPLIT)
    await client().forRequest({ headers }, { overrides }).resolve([SPLIT])
    for (const { headers: sent } of flaky.seen) {
      assert.equal(sent['cloudflare-workers-version-key'], 'ada')
      assert.equal(sent['cloudflare-workers-version-overrides'], 'component-resolver="abc"')
      assert.equal(sent['component-version-override'], 'v1.1.0')
      assert.equal(sent.cookie, undefined)
    }
    assert.deepEqual(
      flaky.seen.map(({ headers: sent }) => sent.authorization),
      ['Bearer own', undefined],
    )
  })
})

describe('one caller gets one version, whatever the form of its key', () => {
  for (const [name, caller] of /** @type {[name: string, caller: any][]} */ ([
    ['a number', { key: 42 }],
    ['zero', { key: 0 }],
    ['white space around it', { key: ' ada ' }],
    ['null segments', { key: 'ada', segments: null }],
    ['segments with white space', { key: 'ada', segments: [' none ', ''] }],
  ])) {
    test(name, async () => {
      const own = client()
      const one = await own.get(SPLIT, { caller })
      const { resolved } = await own.resolve([SPLIT], { caller })
      assert.deepEqual([one.assignment, one.slot], ['key', resolved[0].slot])
      const text = await own.get(SPLIT, { caller: { key: String(caller.key).trim() } })
      assert.equal(text.slot, one.slot)
    })
  }

  test('a request of an end user chooses no version', async () => {
    const headers = new Headers({
      'Component-Version-Key': 'ada',
      'Component-Version-Override': 'v1.1.0',
      'Cloudflare-Workers-Version-Overrides': 'component-resolver="abc"',
    })
    const { assignment } = await client().forRequest({ headers }).get(SPLIT)
    const [{ headers: sent }] = flaky.seen
    assert.deepEqual(
      [assignment, sent['component-version-override'], sent['cloudflare-workers-version-overrides']],
      ['key', undefined, undefined],
    )
  })
})

describe('the URL of the resolver', () => {
  test('can have a path', async () => {
    const urls = []
    const own = createClient('http://resolver.example/base/', {
      fetch: (url, init) => {
        urls.push(url)
        return fetch(url.replace('http://resolver.example/base', worker.url), init)
      },
    })
    await own.get(SLOT)
    await own.resolve([SLOT])
    assert.deepEqual(urls, [`http://resolver.example/base/components/${SLOT}`, 'http://resolver.example/base/resolve'])
  })

  test('with a user, a query or a fragment is refused', () => {
    for (const url of ['https://ada:secret@h', 'https://h/?a=b', 'https://h/#a'])
      assert.throws(() => createClient(url), /has no user, query or fragment/, url)
  })

  test('must be https or local if there is a token', () => {
    for (const host of [
      'components.example.com',
      '127.evil.example',
      'localhost.evil.example',
      'evil.localhost',
      '10.0.0.1',
    ])
      assert.throws(() => createClient(`http://${host}`, { token: 't' }), /not sent over http/, host)
    for (const url of ['https://h', 'http://localhost:1', 'http://127.0.0.1:1', 'http://[::1]:1'])
      createClient(url, { token: 't' })
  })

  test('does not get the token if it redirects, which is an error', async () => {
    flaky.fail([302, { location: `${worker.url}/components/${SLOT}` }])
    const error = await thrown(client({ token: 't' }).get(SLOT))
    assert.match(error.message, /redirects/)
    assert.equal(flaky.seen.length, 1)
  })
})

describe('a proxy that changes headers', () => {
  /** @param {(headers: Headers) => void} change */
  const behind = (change) =>
    client({
      fetch: async (url, init) => {
        const response = await fetch(url, init)
        const headers = new Headers(response.headers)
        change(headers)
        const body = response.status === 304 ? null : response.body
        return new Response(body, { status: response.status, headers })
      },
    })
  for (const [name, change] of /** @type {[name: string, change: (headers: Headers) => void][]} */ ([
    ['removes the ETag', (headers) => headers.delete('ETag')],
    ['weakens the ETag', (headers) => headers.set('ETag', `W/${headers.get('ETag')}`)],
    ['removes Repr-Digest', (headers) => headers.delete('Repr-Digest')],
    ['appends the coding', (headers) => headers.set('ETag', headers.get('ETag').replace(/"$/, '-gzip"'))],
    ['replaces the ETag', (headers) => headers.set('ETag', '"5f-1"')],
    ['adds another digest', (headers) => headers.append('Repr-Digest', 'md5=:AAAA:')],
  ])) {
    test(name, async () => {
      const own = behind(change)
      const { digest } = script.kv.COMPONENTS[EXACT]
      for (const source of ['resolver', 'memory']) {
        const { text, ...component } = await own.get(SLOT)
        assert.deepEqual([text(), component.digest, component.source], [NEW, digest, source])
      }
    })
  }

  test('removes the ETag of a split: both contents are offered, and the right one is used', async () => {
    const own = behind((headers) => headers.delete('ETag'))
    for (let user = 0; user < 30; user += 1) {
      const caller = { key: `user-${user}` }
      const [near, far] = [await own.get(SPLIT, { caller }), await client().get(SPLIT, { caller })]
      assert.deepEqual([near.text(), near.version], [far.text(), far.version])
    }
  })

  test('removes every digest: the content is refused, as it cannot be verified', async () => {
    const own = behind((headers) => {
      headers.delete('ETag')
      headers.delete('Repr-Digest')
    })
    assert.match((await thrown(own.get(SLOT))).message, /names no digest/)
  })
})

test('a page without crypto.subtle (not a secure context) reads components', async () => {
  const { subtle } = globalThis.crypto
  Object.defineProperty(globalThis.crypto, 'subtle', { value: undefined, configurable: true })
  try {
    assert.equal((await client().get(SLOT)).text(), NEW)
  } finally {
    Object.defineProperty(globalThis.crypto, 'subtle', { value: subtle, configurable: true })
  }
})

describe('a temporary failure is retried', () => {
  for (const failure of [500, 502, 503, 429, 'refuse', 'cut', 'swap']) {
    test(`twice ${failure}`, async () => {
      flaky.fail(failure, failure)
      const component = await client().get(SLOT)
      assert.deepEqual([component.text(), component.unavailable], [NEW, undefined])
      assert.equal(flaky.seen.length, 3)
    })
  }

  test('after a timeout', async () => {
    flaky.fail('hang')
    assert.equal((await client({ timeout: 200 }).get(SLOT)).text(), NEW)
  })

  test('after Retry-After, up to the longest delay', async () => {
    flaky.fail([503, { 'retry-after': '3' }])
    const started = Date.now()
    assert.equal((await client().get(SLOT)).text(), NEW)
    assert.ok(Date.now() - started >= 3_000)
    flaky.seen = []
    flaky.fail([503, { 'retry-after': '60' }])
    const error = await thrown(client().get(SLOT))
    assert.deepEqual([error.status, error.retryAfter, flaky.seen.length], [503, 60, 1])
  })

  test('without waiting for a long Retry-After if there is a last good answer', async () => {
    const own = client()
    await own.get(SLOT)
    flaky.fail([503, { 'retry-after': '5' }])
    const started = Date.now()
    const { unavailable, text } = await own.get(SLOT)
    assert.deepEqual([errorOf(unavailable).status, text()], [503, NEW])
    assert.ok(Date.now() - started < 4_000)
  })

  test('until the attempts are used up', async () => {
    flaky.down = true
    const error = await thrown(client({ attempts: 4 }).get(SLOT))
    assert.deepEqual([error.status, error.code, flaky.seen.length], [0, '', 4])
  })

  test('until the caller aborts', async () => {
    const controller = new AbortController()
    flaky.fail('hang')
    const waiting = thrown(client().get(SLOT, { signal: controller.signal }))
    controller.abort(new Error('enough'))
    assert.equal((await waiting).message, 'enough')
  })
})

describe('the last good answer', () => {
  test('is given and marked while the resolver is unreachable, and not after', async () => {
    const own = client()
    const before = await own.get(SLOT)
    flaky.down = true
    const { unavailable, ...last } = await own.get(SLOT)
    assert.deepEqual([last.text(), last.version], [NEW, before.version])
    assert.ok(unavailable.error instanceof ResolverError)
    assert.equal(unavailable.seconds, 0)
    flaky.down = false
    assert.equal((await own.get(SLOT)).unavailable, undefined)
  })

  test('is not given to another caller or for another reference', async () => {
    const own = client({ attempts: 1 })
    await own.get(SPLIT, { caller: { key: 'ada' } })
    flaky.down = true
    assert.ok((await own.get(SPLIT, { caller: { key: 'ada' } })).unavailable)
    for (const caller of [{ key: 'bob' }, { key: 'ada', segments: ['x'] }, {}]) await thrown(own.get(SPLIT, { caller }))
    await thrown(own.get(SLOT, { caller: { key: 'ada' } }))
  })

  test('does not hide a revoked version', async () => {
    const { worker: own, script: vectors } = await serveVectors('answers.json', { vars: { KV_TIMEOUT_MS: '400' } })
    try {
      const near = createClient(own.url, QUICK)
      assert.equal((await near.get('prompts/extraction@~1.1')).version, 'v1.1.0+build.7')
      const catalog = structuredClone(vectors.kv.COMPONENTS['prompts/extraction'])
      for (const version of catalog.versions) version.revoked = 'leaks'
      put(own.kv, { COMPONENTS: { 'prompts/extraction': catalog } })
      assert.equal((await thrown(near.get('prompts/extraction@~1.1'))).status, 404)
    } finally {
      await own.stop()
    }
  })

  test('is not used after the resolver has refused the reference', async () => {
    for (const [status, later] of [
      [410, 410],
      [404, 0],
      [401, 0],
      [403, 0],
    ]) {
      const own = client({ attempts: 1 })
      await own.get(SLOT)
      await own.resolve([SLOT])
      flaky.fail(status, status)
      assert.equal((await thrown(own.get(SLOT))).status, status)
      assert.equal((await thrown(own.resolve([SLOT]))).status, status)
      flaky.down = true
      await thrown(own.resolve([SLOT]))
      const error = await thrown(own.get(SLOT))
      assert.equal(error.status, later, `${status}, then an outage`)
      flaky.down = false
      assert.equal((await own.get(SLOT)).text(), NEW)
    }
  })

  test('is dropped for every caller and reference when its version is revoked', async () => {
    for (const refuse of [
      (own) => thrown(own.get('prompts/extraction@1.1.0')),
      (own) => thrown(own.get(SLOT, { caller: { key: 'bob' } })),
      (own) => own.resolve([SLOT]),
    ]) {
      let revoked = false
      const own = client({
        attempts: 1,
        fetch: async (url, init) => {
          if (!revoked) return fetch(url, init)
          const problem = { status: 410, code: 'VERSION_REVOKED', detail: 'leaks' }
          const snapshot = { resolved: [{ ref: SLOT, error: problem }] }
          return url.endsWith('/resolve') ? Response.json(snapshot) : Response.json(problem, { status: 410 })
        },
      })
      await own.get(SLOT)
      await own.resolve([SLOT, 'templates/logo@production'])
      revoked = true
      await refuse(own)
      revoked = false
      flaky.down = true
      await thrown(own.get(SLOT))
      await thrown(own.resolve([SLOT, 'templates/logo@production']))
      flaky.down = false
    }
  })

  test('of a snapshot with a revoked version is that snapshot itself', async () => {
    /** @type {object[]} */
    let resolved = [{ ref: SLOT, url: `/components/${EXACT}` }]
    let down = false
    const own = client({
      attempts: 1,
      fetch: async () => (down ? Response.error() : Response.json({ resolved })),
    })
    await own.resolve([SLOT])
    for (const [status, again] of [
      [410, 410],
      [404, undefined],
    ]) {
      resolved = [{ ref: SLOT, error: { status, code: 'X', detail: 'x' } }]
      await own.resolve([SLOT])
      down = true
      const last = await own.resolve([SLOT]).catch(() => undefined)
      assert.equal(last?.resolved[0].error.status, again)
      down = false
    }
  })

  test('is evicted when the memory is full', async () => {
    const own = client({ attempts: 1, memory: 3_000 })
    await own.get(SLOT)
    await own.get('prompts/bom@production')
    await own.get('templates/emails/welcome@production')
    flaky.down = true
    await thrown(own.get(SLOT))
    assert.ok((await own.get('templates/emails/welcome@production')).unavailable)
  })
})

describe('while Workers KV fails', () => {
  test('the resolver answers from the last good record, and the client passes that on', async () => {
    const own = client()
    await own.get(SLOT)
    worker.kv.fail({ status: 500 })
    const component = await own.get(SLOT)
    assert.deepEqual([component.unavailable, component.stale], [undefined, 0])
  })

  for (const mode of [{ status: 500 }, 'hang', 'refuse']) {
    test(`${JSON.stringify(mode)}: a resolver that knows nothing answers 503, the client what it knows`, async () => {
      const { worker: own } = await serveVectors('answers.json', { vars: { KV_TIMEOUT_MS: '400' } })
      const other = await startWorker({ kv: own.kv, vars: { KV_TIMEOUT_MS: '400' } })
      try {
        const near = createClient(own.url, QUICK)
        // Another isolate of the same resolver, with an empty memory.
        const moved = createClient('http://resolver.example', {
          ...QUICK,
          fetch: (url, init) => fetch(url.replace('http://resolver.example', target), init),
        })
        let target = own.url
        await moved.get(SLOT)
        target = other.url
        own.kv.fail(mode)
        const { unavailable } = await moved.get(SLOT)
        assert.deepEqual([errorOf(unavailable).status, errorOf(unavailable).code], [503, 'STORE_UNAVAILABLE'])
        const error = await thrown(createClient(other.url, QUICK).get(SLOT))
        assert.equal(error.code, 'STORE_UNAVAILABLE')
        own.kv.heal()
        assert.equal((await near.get(SLOT)).text(), NEW)
      } finally {
        await other.stop()
        await own.stop()
      }
    })
  }
})

describe('a snapshot', () => {
  test('of several references with their contents', async () => {
    const { resolved, scriptVersion, unavailable } = await client().resolve([SLOT, 'templates/logo@production'], {
      content: true,
    })
    assert.deepEqual(
      [resolved[0].content, resolved[1].contentBase64 !== undefined, unavailable],
      [NEW, true, undefined],
    )
    assert.ok(scriptVersion.id)
  })

  test('is kept as a whole for when the resolver is unreachable', async () => {
    const own = client()
    const before = await own.resolve([SLOT])
    flaky.down = true
    const { unavailable, ...last } = await own.resolve([SLOT])
    assert.deepEqual(last, before)
    assert.ok(unavailable.error instanceof ResolverError)
    await thrown(own.resolve([SLOT, EXACT]))
  })

  test('with a temporary error is retried, then given with its error', async () => {
    worker.kv.put('SLOTS', 'prompts/young@production', '{')
    const { resolved } = await client().resolve(['prompts/young@production', EXACT])
    assert.deepEqual([resolved[0].error.code, resolved[1].version], ['RECORD_UNREADABLE', 'v1.1.0'])
    assert.equal(flaky.seen.length, 3)
    const { resolved: absent } = await client().resolve(['prompts/extraction@nowhere'])
    assert.equal(absent[0].error.code, 'SLOT_UNKNOWN')
    assert.equal(flaky.seen.length, 4)
  })
})

test('the client runs in a Worker, over a service binding', async () => {
  const source = `
import { createClient } from './client/index.js'
let client
export default {
  async fetch(request, env) {
    client ??= createClient('https://resolver', { fetch: (url, init) => env.RESOLVER.fetch(url, init) })
    const { bytes, text, ...said } = await client.forRequest(request).get('${SPLIT}')
    return Response.json({ ...said, text: text() })
  },
}`
  const folder = fileURLToPath(new URL('../../client/', import.meta.url))
  const files = readdirSync(folder).filter((name) => name.endsWith('.js'))
  const caller = {
    modules: [
      { name: 'caller.mjs', source },
      ...files.map((name) => ({ name: `client/${name}`, file: path.join(folder, name), as: `client-${name}` })),
    ],
    services: ['RESOLVER'],
  }
  const own = await startWorker({ kv: { SLOTS: new Map(), COMPONENTS: new Map() }, caller })
  try {
    put(own.kv, readVectors('splits.json').kv)
    const headers = { 'cloudflare-workers-version-key': 'ada' }
    const [first, second] = [await own.fetch('/', { headers }), await own.fetch('/', { headers })].map((answer) =>
      answer.json(),
    )
    assert.deepEqual([first.assignment, first.source, second.source], ['key', 'resolver', 'memory'])
    assert.equal(first.text, second.text)
  } finally {
    await own.stop()
  }
})

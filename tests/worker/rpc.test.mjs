// Compares RPC over a real service binding in workerd with a real KV binding to a namespace in
// Conductor's layout: both give the same results and errors for every call of a KV binding.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, afterEach, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { point } from './assignment.mjs'
import { conductorNamespace } from './conductor-namespace.mjs'
import { CALLER as TEXT_CALLER } from './harness/caller.mjs'
import { startWorker } from './harness/workerd.mjs'
import { bytes, put, readVectors } from './vectors.mjs'

const CALLER = fileURLToPath(new URL('./rpc-caller.mjs', import.meta.url))
const script = readVectors('catalog.json')
const splits = readVectors('splits.json')
const SPLIT = 'prompts/extraction@split'

/** 40 % canary, 60 % production. */
const { targets } = splits.kv.SLOTS['prompts/extraction@production']
const split = {
  format: 1,
  slot: 'split',
  targets: targets.map((target, at) => ({ ...target, weight: at === 0 ? 40_000 : 60_000 })),
}

/** Contents with edge cases for text and JSON. */
const ODD = {
  'configs/app': '{"a":[1,2.5,null],"b":"\\u00fc"}',
  'configs/array': ' [1] ',
  'configs/text': '"x"',
  'configs/null': 'null',
  'configs/broken': '{"a":',
  'configs/bom': '\ufeff{"a":1}',
  'prompts/invalid': Buffer.from([0x61, 0xff, 0xe2, 0x82, 0x62, 0xed, 0xa0, 0x80, 0x00, 0xf0, 0x9f, 0x92, 0xa9, 0xc3]),
}

/** Adds a component with one version and one slot to the vectors. */
function component(name, content) {
  const digest = createHash('sha256').update(content).digest('hex')
  const snapshot = {
    version: 'v1.0.0',
    digest,
    size: Buffer.byteLength(content),
    type: 'text/plain',
    sha: 'dac23bda14820e5b79aa3328b0c5a597521fa03c',
    date: '2026-11-20T10:00:00Z',
  }
  const version = { format: 1, ...snapshot, author: 'Gr\u00fcn \ud83c\udf31', path: 'a.txt' }
  const slot = { format: 1, slot: 'latest', targets: [{ slot: 'latest', ...snapshot, weight: 100_000 }] }
  return {
    SLOTS: { [`${name}@latest`]: slot },
    COMPONENTS: {
      [`sha256/${digest}`]: Buffer.isBuffer(content) ? { $base64: content.toString('base64') } : content,
      [`${name}@v1.0.0`]: version,
      [name]: { format: 1, versions: [version], slots: { latest: { record: slot, moves: [] } } },
    },
  }
}

const caller = { modules: [{ name: 'caller.mjs', file: CALLER }], services: ['RESOLVER'] }

let worker
let components
before(async () => {
  const kv = { SLOTS: new Map(), COMPONENTS: new Map(), CONDUCTOR: new Map() }
  worker = await startWorker({ kv, caller })
  put(worker.kv, script.kv)
  for (const [name, content] of Object.entries(ODD)) put(worker.kv, component(name, content))
  components = [...script.kv.COMPONENTS.index.components, ...Object.keys(ODD)].sort()
  put(worker.kv, { COMPONENTS: { index: { format: 1, components } } })
  const read = (key) => worker.kv.store.entry('COMPONENTS', key).value
  for (const [key, entry] of conductorNamespace(components, read)) kv.CONDUCTOR.set(key, entry)
  put(worker.kv, { SLOTS: { [SPLIT]: split } })
})
after(() => worker?.stop())
afterEach(() => worker.kv.heal())

async function ask(binding, calls, bound) {
  const body = JSON.stringify({ binding, calls, caller: bound })
  const answer = await worker.fetch('/', { method: 'POST', body })
  assert.equal(answer.status, 200, answer.text())
  return answer.json()
}

const resolver = (calls, bound) => ask('RESOLVER', calls, bound)

/** One call of the resolver; a plain value or an object's members. */
async function one(method, args, bound) {
  const [{ value, ...rest }] = await resolver([{ method, args }], bound)
  return value ? { value: plain(value) } : rest
}

/** Turns the caller's JSON back into a value. */
function plain(spelled) {
  if (spelled.undefined) return undefined
  if (spelled.object) return Object.fromEntries(spelled.object.map(([name, value]) => [name, plain(value)]))
  if (spelled.map) return new Map(spelled.map.map(([name, value]) => [name, plain(value)]))
  if (spelled.array) return spelled.array.map(plain)
  return 'plain' in spelled ? spelled.plain : spelled
}

/** Checks that both bindings give the same result for each call. */
async function same(calls) {
  const [mine, kv] = await Promise.all([resolver(calls), ask('CONDUCTOR', calls)])
  for (const [at, call] of calls.entries()) {
    const { code, status, ...answer } = mine[at]
    assert.deepEqual(answer, kv[at], JSON.stringify(call))
  }
  return kv
}

const TYPES = ['text', 'json', 'arrayBuffer', 'stream']

/** The forms of the second argument. */
const FORMS = [
  [],
  ...TYPES.map((type) => [type]),
  ...TYPES.map((type) => [{ type }]),
  [{ type: 'text', cacheTtl: 60 }],
  [{ cacheTtl: 3600 }],
  [{}],
]

describe('answers like a KV binding', () => {
  test('every key of the namespace, with every method and form', async () => {
    const keys = [...worker.kv.store.namespace('CONDUCTOR').keys()]
    assert.ok(keys.length > 100)
    for (const key of keys) {
      const calls = (method) => FORMS.map((form) => ({ method, args: [key, ...form] }))
      const answers = await same(['get', 'getWithMetadata'].flatMap(calls))
      assert.ok(
        answers.some(({ value }) => value && value.plain !== null),
        key,
      )
      // This time by the fast lane.
      await same(calls('get'))
    }
  })

  test('keys that do not exist', async () => {
    const keys = [
      'prompts/extraction@nowhere',
      'prompts/extraction/nowhere',
      'components/prompts/extraction/nowhere',
      'prompts/nothing@production',
      'prompts/nothing/_versions',
      'prompts/extraction@v9.9.9',
      'prompts/extraction@^9',
      'prompts/extraction@',
      'prompts/extraction@a b',
      'prompts',
      '/',
      'prompts//a',
      'components/extraction/v1.0.0',
      'files/prompts/extraction.md',
      '_versions',
      'h\u00e9llo',
      'a'.repeat(512),
      'prompts/../index',
      'index',
      'sha256/',
      `prompts/extraction@sha256:${'0'.repeat(64)}`,
    ]
    const calls = ['get', 'getWithMetadata'].flatMap((method) =>
      keys.flatMap((key) => [[key], [key, 'json'], [key, 'nonsense']].map((args) => ({ method, args }))),
    )
    const answers = await same(calls)
    assert.ok(answers.every(({ value }) => value !== undefined))
  })

  test('invalid keys and unknown types', async () => {
    const keys = ['', '.', '..', 'a'.repeat(513), '\u00fc'.repeat(300)]
    const answers = await same([
      ...['get', 'getWithMetadata'].flatMap((method) => keys.map((key) => ({ method, args: [key] }))),
      { method: 'get', args: ['configs/app@latest', 'blob'] },
      { method: 'get', args: ['configs/app@latest', { type: 'blob' }] },
    ])
    assert.ok(answers.every(({ error }) => error))
  })

  test('several keys at once', async () => {
    const some = [
      'prompts/extraction@production',
      'prompts/extraction/v1.0.0',
      'prompts/bom/production',
      'prompts/no@x',
    ]
    const json = [
      'configs/app@latest',
      'components/configs/array/v1.0.0',
      'configs/text/latest',
      'configs/app/_versions',
    ]
    await same(
      ['get', 'getWithMetadata'].flatMap((method) => [
        { method, args: [some] },
        { method, args: [some, 'text'] },
        { method, args: [some, { type: 'text', cacheTtl: 60 }] },
        { method, args: [json, 'json'] },
        { method, args: [[some[0], some[0]]] },
        { method, args: [[some[3]]] },
      ]),
    )
  })

  test('listings of every prefix, whole and in pages', async () => {
    const prefixes = [
      undefined,
      '',
      'prompts/extraction@',
      'prompts/extraction/',
      'components/prompts/extraction/',
      'prompts/',
      'prompts/extraction@v1',
      'configs/',
      'components/',
      'templates/emails/',
      'nothing/',
      'p',
      'prompts/extraction@v1.0.0',
    ]
    for (const prefix of prefixes) {
      const [whole] = await same([{ method: 'list', args: [{ prefix }] }])
      const names = plain(whole.value).keys.map(({ name }) => name)
      for (const limit of [1, 7]) assert.deepEqual(await pages({ prefix, limit }), names, `${prefix} by ${limit}`)
    }
    await same([
      { method: 'list' },
      { method: 'list', args: [{ limit: 0 }] },
      { method: 'list', args: [{ limit: 1000 }] },
    ])
  })
})

describe('large values', () => {
  const MIB = 1 << 20
  const wide = Buffer.from(`{"a":"${'Grün 🌱 '.repeat(900_000)}"}`)
  const padded = (size) => Buffer.concat([wide, Buffer.alloc(size - wide.length, ' ')])

  for (const [name, size, types] of /** @type {[name: string, size: number, types: string[]][]} */ ([
    ['most', 25 * MIB, ['arrayBuffer', 'stream']],
    ['much', 15 * MIB, TYPES],
  ])) {
    test(`${size} bytes as ${types.join(', ')}`, async () => {
      put(worker.kv, component(`configs/${name}`, padded(size)))
      worker.kv.put('CONDUCTOR', `configs/${name}@latest`, padded(size))
      await same(types.map((type) => ({ method: 'get', args: [`configs/${name}@latest`, type] })))
    })
  }

  test('wrong bytes break a stream off, and are an error in any other form', async () => {
    const right = padded(12 * MIB)
    const [[key]] = Object.entries(component('configs/wrong', right).COMPONENTS)
    put(worker.kv, component('configs/wrong', right))
    worker.kv.put('COMPONENTS', key, Buffer.alloc(right.length))
    const stream = await one('get', ['configs/wrong@latest', 'stream'])
    assert.match(stream.error, /Network connection lost/)
    for (const type of TYPES) {
      const { code, status } = await one('get', ['configs/wrong@latest', type])
      assert.deepEqual([code, status], ['DIGEST_MISMATCH', 502], type)
    }
  })

  test('a text that is too large for RPC is an error, not truncated', async () => {
    const { error } = await one('get', ['configs/most@latest'])
    assert.match(error, /limited to 32MiB/)
  })
})

/** The names of a listing, page by page. */
async function pages(options) {
  const names = []
  for (let cursor; ; ) {
    const { value } = await one('list', [{ ...options, cursor }])
    assert.equal(value.cacheStatus, null)
    assert.ok(value.keys.length <= options.limit)
    names.push(...value.keys.map(({ name }) => name))
    if (value.list_complete) return names
    cursor = value.cursor
  }
}

// The messages of Cloudflare's service; workerd forwards them, the harness's KV sends none.
describe("errors as in Cloudflare's binding", () => {
  const keys = Array.from({ length: 101 }, (_, at) => `prompts/a${at}@latest`)
  for (const [method, args, error] of [
    ['get', ['a/b@c', { cacheTtl: 29 }], 'KV GET failed: 400 Invalid cache_ttl of 29. Cache TTL must be at least 30.'],
    ['get', [keys], 'KV GET_BULK failed: 400 You can request a maximum of 100 keys'],
    ['get', [[]], 'KV GET_BULK failed: 400 You must request a minimum of 1 key'],
    ['get', [['a/b@c'], 'stream'], 'KV GET_BULK failed: 400 "stream" is not a valid type. Use "json" or "text"'],
    [
      'getWithMetadata',
      [['a/b@c'], { cacheTtl: 1 }],
      'KV GET_BULK failed: 400 Invalid cache_ttl of 1. Cache TTL must be at least 30.',
    ],
    [
      'get',
      [['prompts/bom@production'], 'json'],
      'KV GET_BULK failed: 400 At least one of the requested keys corresponds to a non-json value',
    ],
    [
      'list',
      [{ limit: 1001 }],
      'KV GET failed: 400 Invalid key_count_limit of 1001. Please specify an integer less than 1000.',
    ],
    [
      'list',
      [{ prefix: 'a'.repeat(513) }],
      'KV GET failed: 414 UTF-8 encoded length of 513 exceeds key length limit of 512.',
    ],
  ]) {
    test(`${method}: ${error}`, async () => {
      assert.equal((await one(method, args)).error, `Error: ${error}`)
    })
  }

  test('writes are refused', async () => {
    const why = 'component-resolver is read-only: move a slot with Git, then run slotctl sync'
    for (const caller of [undefined, { key: 'ada' }]) {
      assert.equal((await one('put', ['a', 'b'], caller)).error, `Error: KV PUT failed: 405 ${why}`)
      assert.equal((await one('delete', ['a'], caller)).error, `Error: KV DELETE failed: 405 ${why}`)
    }
    assert.deepEqual(worker.kv.writes, [])
  })
})

describe('features that a namespace does not have', () => {
  const get = async (key) => (await one('get', [key])).value

  test('ranges, digests, versions without v, types in the singular, keys without a reference', async () => {
    const digest = script.kv.COMPONENTS['prompts/extraction@v1.0.0'].digest
    const old = bytes(script.kv.COMPONENTS[`sha256/${digest}`]).toString()
    for (const key of [
      'prompts/extraction@~1.0',
      'prompts/extraction/~1.0',
      'components/prompts/extraction/1.0.x',
      'prompts/extraction@>=1.0.0 <1.1',
      `prompts/extraction@sha256:${digest}`,
      `prompts/extraction/sha256:${digest}`,
      'prompts/extraction@1.0.0',
      'prompt/extraction@v1.0.0',
      'prompt/extraction/v1.0.0',
      'components/prompt/extraction/v1.0.0',
    ]) {
      assert.equal(await get(key), old, key)
    }
    for (const key of ['configs/app', 'config/app', 'components/configs/app'])
      assert.equal(await get(key), ODD['configs/app'], key)
    const welcome = await get('templates/emails/welcome@production')
    assert.ok(welcome)
    assert.equal(await get('template/emails/welcome/production'), welcome)
  })

  test('ranges of several keys take one bulk read per round', async () => {
    worker.kv.forget()
    const { value } = await one('get', [['prompts/extraction@^1', 'prompts/extraction@~1.0', 'prompts/bom@*']])
    assert.ok([...value.values()].every((text) => typeof text === 'string'))
    // The ranges records, which these components do not have, then the catalog records.
    assert.equal(worker.kv.reads.filter(({ op }) => op === 'bulk').length, 2)
  })

  test('a revoked version is an error, not a missing key', async () => {
    for (const key of ['prompts/extraction@v0.9.0', ['prompts/bom@production', 'prompts/extraction/v0.9.0']]) {
      const { error, code, status } = await one('get', [key])
      assert.match(error, /^Error: KV GET(_BULK)? failed: 410 .*leaks the system "prompt" \(VERSION_REVOKED\)$/)
      assert.deepEqual([code, status], ['VERSION_REVOKED', 410])
    }
  })
})

describe('the arm is chosen', () => {
  const assigned = async (caller, options) => {
    const { value } = await one('getWithMetadata', [SPLIT, options], caller)
    return value.metadata
  }

  test('at random, for each call', async () => {
    const calls = Array.from({ length: 60 }, () => ({ method: 'getWithMetadata', args: [SPLIT] }))
    const drawn = (await resolver(calls)).map(({ value }) => plain(value).metadata)
    assert.ok(drawn.every(({ assignment }) => assignment === 'random'))
    assert.equal(new Set(drawn.map(({ slot }) => slot)).size, 2)
  })

  test('by the key of a bound caller, as over HTTP', async () => {
    const slots = new Set()
    for (let user = 0; user < 40; user += 1) {
      const caller = { key: `user-${user}` }
      const [bound, given] = [await assigned(caller), await assigned(undefined, { type: 'text', caller })]
      const expected = point('prompts/extraction', caller.key) < 40_000 ? 'canary' : 'production'
      assert.deepEqual([bound.assignment, bound.slot], ['key', expected])
      assert.deepEqual(given, bound)
      slots.add(bound.slot)
    }
    assert.equal(slots.size, 2)
  })

  test('by a segment and by an override', async () => {
    const SEGMENTED = 'prompts/extraction@both'
    put(worker.kv, { SLOTS: { [SEGMENTED]: splits.kv.SLOTS[SEGMENTED] } })
    const [segment] = Object.keys(splits.kv.SLOTS[SEGMENTED].segments)
    const { value } = await one('getWithMetadata', [SEGMENTED], { segments: ['none', segment], key: 'x' })
    assert.equal(value.metadata.assignment, 'segment')
    assert.equal(value.metadata.version, splits.kv.SLOTS[SEGMENTED].segments[segment].version)
    for (const { version } of split.targets) {
      const metadata = await assigned({ override: version, key: 'x' })
      assert.deepEqual([metadata.assignment, metadata.version], ['override', version])
    }
    assert.equal((await assigned({ override: 'rubbish', key: 'x' })).assignment, 'key')
  })

  test('a bound caller has all methods', async () => {
    const listed = (await one('list', [{ prefix: 'configs/app@' }], { key: 'x' })).value
    assert.deepEqual(
      listed.keys.map(({ name }) => name),
      ['configs/app@latest', 'configs/app@v1.0.0'],
    )
    const { value } = await one('get', [[SPLIT, 'configs/app@latest'], 'text'], { key: 'x' })
    assert.equal(value.get('configs/app@latest'), ODD['configs/app'])
    assert.deepEqual((await one('get', ['configs/app', 'json'], { key: 'x' })).value, JSON.parse(ODD['configs/app']))
  })

  test('an invalid caller is refused', async () => {
    for (const caller of ['ada', 7, { key: 7 }, { segments: 'beta' }, { segments: [7] }, { override: 1 }]) {
      assert.match((await one('get', [SPLIT], caller)).error, /^TypeError: A caller is \{ key\?/)
    }
  })
})

describe('a failing store', () => {
  // Another isolate of the resolver, with a shorter timeout.
  let patient
  before(async () => {
    patient = worker
    worker = await startWorker({ kv: patient.kv, caller, vars: { KV_TIMEOUT_MS: '300' } })
  })
  after(async () => {
    await worker.stop()
    worker = patient
  })

  const MODES = [{ status: 500 }, 'hang', 'truncated', 'refuse']

  test('is never a missing key', async () => {
    put(worker.kv, component('prompts/unread', 'x'))
    for (const mode of MODES) {
      for (const namespace of ['SLOTS', 'COMPONENTS']) {
        worker.kv.fail(mode, { namespace })
        const calls = [
          ['get', ['prompts/unread@latest']],
          ['get', ['prompts/unread/latest', 'json']],
          ['getWithMetadata', ['prompts/unread@latest']],
          ['get', [['prompts/unread@latest', 'prompts/none@latest']]],
          ...(namespace === 'COMPONENTS'
            ? [
                ['list', [{ prefix: 'prompts/' }]],
                ['get', ['prompts/unread/_versions']],
              ]
            : []),
        ]
        for (const [method, args] of calls) {
          const { error, code, status } = await one(method, args)
          assert.match(
            error,
            /^Error: KV GET(_BULK)? failed: 503 The namespace \w+ does not answer/,
            `${JSON.stringify(mode)} ${namespace} ${method} ${args}`,
          )
          assert.deepEqual([code, status], ['STORE_UNAVAILABLE', 503])
        }
        worker.kv.heal()
      }
    }
  })

  test('does not make an invalid record valid', async () => {
    worker.kv.fail('garbage', { namespace: 'SLOTS' })
    const { error, code } = await one('get', ['prompts/unread@latest'])
    assert.match(error, /^Error: KV GET failed: 502 /)
    assert.equal(code, 'RECORD_UNREADABLE')
  })

  test('leaves the last good answer, with its age in the metadata', async () => {
    const key = 'prompts/extraction@production'
    const { value: before } = await one('getWithMetadata', [key])
    worker.kv.fail('refuse')
    const { value } = await one('getWithMetadata', [key])
    assert.equal(value.value, before.value)
    const { stale, ...metadata } = value.metadata
    assert.deepEqual(metadata, before.metadata)
    assert.equal(typeof stale, 'number')
  })

  test('brings back nothing that was withdrawn', async () => {
    const name = 'prompts/leaky'
    const { SLOTS, COMPONENTS } = component(name, 'leaky')
    put(worker.kv, { SLOTS, COMPONENTS })
    const keys = [`${name}@latest`, `${name}@sha256:${SLOTS[`${name}@latest`].targets[0].digest}`]
    for (const key of keys) assert.equal((await one('get', [key])).value, 'leaky', key)
    const gone = { version: 'v1.0.0', reason: 'leaks' }
    const revoked = { ...COMPONENTS[`${name}@v1.0.0`], revoked: 'leaks' }
    put(worker.kv, {
      SLOTS: { [`${name}@latest`]: { format: 1, slot: 'latest', targets: [], gone } },
      COMPONENTS: { [`${name}@v1.0.0`]: revoked, [name]: { ...COMPONENTS[name], versions: [revoked] } },
    })
    for (const fail of [false, true]) {
      if (fail) worker.kv.fail({ status: 500 })
      for (const key of keys) {
        const { status, code } = await one('get', [key])
        assert.deepEqual([status, code], [410, 'VERSION_REVOKED'], key)
      }
    }
    worker.kv.heal()
    put(worker.kv, { SLOTS: { [`${name}@latest`]: null } })
    assert.equal((await one('get', [keys[0]])).value, null)
    worker.kv.fail({ status: 500 })
    assert.equal((await one('get', [keys[0]])).status, 503)
  })
})

test('a slot takes one read, and no more for its metadata after the first', async () => {
  await one('getWithMetadata', ['prompts/extraction@production'])
  for (const method of ['get', 'getWithMetadata']) {
    worker.kv.forget()
    await one(method, ['prompts/extraction/production'])
    assert.deepEqual(
      worker.kv.reads.map(({ namespace, keys }) => [namespace, ...keys]),
      [['SLOTS', 'prompts/extraction@production']],
    )
  }
})

test('the fast lane answers, logs and reads like the full path', async () => {
  const log = () => worker.output.split('\n').filter((line) => line.startsWith('{'))
  const slots = {
    [SPLIT]: split,
    'configs/null@latest': component('configs/null', 'null').SLOTS['configs/null@latest'],
  }
  for (const [key, record] of Object.entries(slots)) {
    for (const bound of [undefined, { key: 'b' }, { key: 'e' }, { override: 'v1.1.0' }]) {
      if (!bound && record.targets.length > 1) continue
      const given = []
      // Another text of the same record makes the first call take the full path, which fills the fast lane.
      put(worker.kv, { SLOTS: { [key]: { ...record, note: JSON.stringify(bound ?? null) } } })
      for (let call = 0; call < 3; call += 1) {
        worker.kv.forget()
        const from = log().length
        const value = await one('get', [key, key.startsWith('configs') ? 'json' : 'text'], bound)
        given.push({ value, lines: log().slice(from), reads: worker.kv.count() })
      }
      const [full, ...lane] = given
      assert.equal(full.lines.length, 1)
      assert.equal(full.reads, 1)
      for (const one of lane) assert.deepEqual(one, full)
    }
  }
})

test('a kept text counts in the memory for contents', async () => {
  const served = await startWorker({
    vars: { CONTENT_MEMORY: '1000000' },
    caller: { modules: [TEXT_CALLER], services: ['RESOLVER'] },
  })
  try {
    // The number of contents that are read when each is requested for the third time.
    const readAgain = async (name, size, count) => {
      const contents = Array.from({ length: count }, (_, at) => `${at} `.padEnd(size, 'x'))
      for (const [at, content] of contents.entries()) put(served.kv, component(`prompts/${name}-${at}`, content))
      for (let time = 0; time < 3; time += 1) {
        served.kv.forget()
        for (const [at, content] of contents.entries()) {
          const answer = await served.fetch(`/?get=prompts/${name}-${at}@latest`)
          assert.equal(answer.text(), content)
        }
      }
      return served.kv.reads.filter(({ keys: [key] }) => key.startsWith('sha256/')).length
    }
    // 45 contents of 9 KB take less than half of the memory, but their texts have two bytes per character.
    assert.equal(await readAgain('fits', 9_000, 30), 0)
    assert.ok((await readAgain('grows', 9_000, 45)) > 0)
    // The texts of larger contents are not kept.
    assert.equal(await readAgain('large', 20_000, 45), 0)
  } finally {
    await served.stop()
  }
})

test('an array of one key does not take the fast lane', async () => {
  for (let call = 0; call < 2; call += 1) await one('get', ['prompts/extraction@production'])
  await same([{ method: 'get', args: [['components/prompts/extraction/production']] }])
  const { value } = await one('get', [['prompts/extraction@production']])
  assert.deepEqual([...value.keys()], ['prompts/extraction@production'])
})

test('a call is one log line, without data of the caller', async () => {
  const at = worker.output.length
  await one('get', [SPLIT], { key: 'ada@example.com', segments: ['secret-group'] })
  await one('get', ['prompts/extraction@nowhere'])
  await one('get', [SPLIT, { cacheTtl: 1 }])
  await one('put', ['a', 'b'])
  await one('forCaller', ['ada@example.com'])
  const said = worker.output.slice(at)
  const lines = said
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
  assert.deepEqual(
    lines.map(({ method, status, component, ref, assignment }) => [method, status, component, ref, assignment]),
    [
      ['RPC', 200, 'prompts/extraction', 'split', 'key'],
      ['RPC', 404, 'prompts/extraction', 'nowhere', undefined],
      ['RPC', 400, undefined, undefined, undefined],
      ['RPC', 405, undefined, undefined, undefined],
      ['RPC', 400, undefined, undefined, undefined],
    ],
  )
  for (const line of lines)
    assert.deepEqual([line.scriptVersion, line.scriptVersionTag], ['00000000-0000-4000-8000-000000000001', 'test'])
  assert.ok(!said.includes('ada') && !said.includes('secret-group'))
})

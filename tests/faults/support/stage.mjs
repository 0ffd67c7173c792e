import assert from 'node:assert/strict'

import { Repo } from '../../cli/support/repo.mjs'
import { gitEnv, slotctl } from '../../cli/support/slotctl.mjs'
import { FaultyProxy } from './proxy.mjs'

const T0 = 1_760_000_000

/** A step of a repository's history, a minute after the previous one. */
function step(repo, number, change) {
  repo.now = T0 + 60 * number
  change()
}

/** A copy of a repository whose own refs count, since it has no remote. */
function copy(repo) {
  const copied = repo.clone()
  copied.git('remote', 'remove', 'origin')
  return copied
}

/**
 * The states of a repository, each in its own copy: the initial one, an older change and two newer
 * ones. The older change moves a slot that the newer one moves back, so that a mixture of both can be
 * detected.
 */
export function states() {
  const base = new Repo()
  step(base, 1, () => {
    base.commit({ 'prompts/a.md': 'A 1.\n', 'configs/b.json': '{"b":1}' })
    base.version('prompts/a', 'v1.0.0')
    base.version('configs/b', 'v1.0.0')
    base.slot('prompts/a', 'production', 'v1.0.0')
    base.slot('prompts/a', 'canary', 'v1.0.0')
    base.slot('configs/b', 'production', 'v1.0.0')
  })
  const older = copy(base)
  step(older, 2, () => {
    older.commit({ 'prompts/a.md': 'A 2.\n', 'configs/b.json': '{"b":2}', 'tools/c.js': 'c()\n' })
    for (const [name, of] of [
      ['prompts/a', 'v1.1.0'],
      ['configs/b', 'v1.1.0'],
      ['tools/c', 'v1.0.0'],
    ]) {
      older.version(name, of)
      older.slot(name, 'production', of)
    }
  })
  const newer = copy(older)
  step(newer, 3, () => {
    newer.slot('prompts/a', 'production', 'v1.0.0', 'Back')
    newer.slot('prompts/a', 'canary', 'v1.1.0')
    newer.version('configs/b', 'v1.2.0')
    newer.slot('tools/c', 'staging', 'v1.0.0')
    // What a sync with --prune deletes.
    newer.git('tag', '--delete', 'components/configs/b/v1.0.0')
  })
  const next = copy(older)
  step(next, 4, () => {
    next.commit({ 'prompts/a.md': 'A 3.\n' })
    next.version('prompts/a', 'v1.2.0')
    next.slot('prompts/a', 'production', 'v1.2.0')
  })
  return { base, older, newer, next }
}

/** A pair of namespaces for one test at a time, with a proxy for each run that is under way. */
export class Lane {
  static async start(kv, runs = 2) {
    const proxies = Array.from({ length: runs }, () => FaultyProxy.start(kv.url))
    return new Lane(kv, await Promise.all(proxies))
  }

  constructor(kv, proxies) {
    this.kv = kv
    this.pair = kv.pair()
    this.proxies = proxies
  }

  stop() {
    return Promise.all(this.proxies.map((proxy) => proxy.stop()))
  }

  /** Runs a sync through one of the proxies; `meet` decides about its calls. */
  sync(repo, options = {}) {
    return this.run(['sync'], repo, options)
  }

  /** Runs a command through one of the proxies; `meet` decides about its calls. */
  async run(command, repo, { meet = () => null, through = 0, env = {}, flags = [] } = {}) {
    const proxy = this.proxies[through]
    Object.assign(proxy, { calls: [], meet })
    const args = [...command, '--local', proxy.url, '--repo', repo.dir, '--config', this.pair.config, ...flags]
    const ended = await slotctl(args, { env, started: (child) => (proxy.process = child) })
    return { ...ended, calls: [...proxy.calls], writes: proxy.calls.filter(({ writes }) => writes) }
  }

  /** Rolls a slot back, from a clone with a remote. */
  rollback(repo, component, slot) {
    const args = ['rollback', component, slot, '--local', this.kv.url, '--repo', repo.dir, '--config', this.pair.config]
    return slotctl(args, { env: gitEnv() })
  }

  /** Reads all of KV, for `load`. */
  async save() {
    const saved = {}
    for (const name of ['slots', 'components']) {
      const namespace = this.pair[name]
      const keys = Object.entries(await namespace.listAll())
      const { values } = await post(`${namespace.base}/bulk/get`, 'POST', { keys: keys.map(([key]) => key) })
      saved[name] = Object.fromEntries(keys.map(([key, metadata]) => [key, { value: values[key], metadata }]))
    }
    return saved
  }

  /** All of KV without what differs between runs: their records, and times. */
  async settled() {
    const { slots, components } = await this.save()
    const settled = Object.entries(components).filter(([key]) => !key.startsWith('@sync/'))
    return {
      slots,
      components: Object.fromEntries(settled.map(([key, value]) => [key, key.endsWith('@unreferenced') || value])),
    }
  }

  /** All of KV that is served: without the moves, which include intermediate states. */
  async served() {
    const { slots, components } = await this.settled()
    for (const [key, entry] of Object.entries(components)) {
      if (/^(?!sha256\/)[\w-]+\/[\w-]+$/.test(key)) {
        const record = JSON.parse(entry.value)
        for (const slot of Object.values(record.slots)) delete slot.moves
        entry.value = record
      }
    }
    return { slots, components }
  }

  /** Restores KV to what was saved. */
  async load(saved) {
    for (const [name, wanted] of Object.entries(saved)) {
      const namespace = this.pair[name]
      const there = Object.keys(await namespace.listAll())
      if (there.length > 0) await post(`${namespace.base}/bulk/delete`, 'POST', there)
      const pairs = Object.entries(wanted).map(([key, { value, metadata }]) => ({
        key,
        value,
        ...(metadata && { metadata }),
      }))
      if (pairs.length > 0) await post(`${namespace.base}/bulk`, 'PUT', pairs)
    }
  }

  /** Checks that every slot and version record names an existing content. */
  async assertWhole(what) {
    const { slots, components } = await this.save()
    const records = Object.entries(components).filter(([key]) => /@(v|[0-9a-f]{40})/.test(key))
    for (const [key, { value }] of [...Object.entries(slots), ...records]) {
      const { targets = [], segments = {}, digest } = JSON.parse(value)
      const named = [...targets, ...Object.values(segments)].map((arm) => arm.digest)
      for (const of of digest ? [digest] : named) {
        assert.ok(components[`sha256/${of}`], `${what}: ${key} names a content that is not there`)
      }
    }
  }
}

async function post(url, method, body) {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(url, { method, headers, body: JSON.stringify(body) })
  assert.ok(answer.ok, `${method} ${url}: ${answer.status}`)
  return /** @type {any} */ (await answer.json()).result
}

/** Runs jobs, one at a time in each lane. */
export async function inLanes(lanes, jobs, run) {
  const queue = [...jobs]
  await Promise.all(
    lanes.map(async (lane) => {
      for (let job = queue.shift(); job !== undefined; job = queue.shift()) await run(lane, job)
    }),
  )
}

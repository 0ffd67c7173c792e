// Does what `npm run edge` does: a real sync into the KV of `wrangler dev`, and the edge in front of it.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

import { startEdgeKv, startLocalEdge } from '../../scripts/lib/edge.mjs'
import { releaseToTry, whatToTry } from '../../scripts/lib/edge-hints.mjs'
import { ownNode } from '../../scripts/lib/node-tools.mjs'
import { ROOT } from '../../scripts/lib/paths.mjs'
import { Repo, temporaryFolder } from '../cli/support/repo.mjs'
import { binary, gitEnv, slotctl } from '../cli/support/slotctl.mjs'
import { rawRequest } from '../worker/harness/request.mjs'
import { BUILD, WORKER } from './support/edge.mjs'

const BYTES = Buffer.from([0, 255, 254, 13, 10, 0])

/** Runs lines like a user who pastes them. It cannot block, as the edge is in this process. */
function shell(lines) {
  const env = { ...process.env, PATH: [path.dirname(ownNode()), process.env.PATH].join(path.delimiter) }
  return new Promise((resolve) => {
    execFile('bash', ['-c', lines], { cwd: ROOT, env }, (error, stdout) => resolve({ code: error?.code ?? 0, stdout }))
  })
}

describe('the edge on the local KV of wrangler dev', () => {
  const repo = new Repo()
  let kv
  let edge
  const sync = async () => {
    const where = ['--local', kv.url, '--env', 'staging', '--config', path.join(ROOT, 'wrangler.toml')]
    const { code, stderr } = await slotctl(['sync', ...where, '--repo', repo.dir], { env: gitEnv() })
    assert.equal(code, 0, stderr)
  }
  const get = (at) => rawRequest(edge.url, { path: at })

  before(async () => {
    repo.commit({ 'prompts/a.md': 'grüßt “alle”', 'templates/logo.bin': BYTES, 'prompts/empty.md': '' })
    for (const name of ['prompts/a', 'templates/logo', 'prompts/empty']) repo.version(name, 'v1.0.0')
    repo.slot('prompts/a', 'production', 'v1.0.0')
    kv = await startEdgeKv({ env: 'staging', persistTo: temporaryFolder('edge-kv'), isolated: true })
    await sync()
    edge = await startLocalEdge({ worker: WORKER, kv, vars: { DEFAULT_SLOT: 'latest' } })
    const { id } = await edge.upload({ build: BUILD })
    await edge.deploy([[id, 100]])
  })
  after(async () => {
    await edge?.stop()
    await kv?.stop()
  })

  test('contents are served byte for byte', async () => {
    for (const [ref, expected] of /** @type {[ref: string, expected: Buffer][]} */ ([
      ['prompts/a@production', Buffer.from('grüßt “alle”')],
      ['templates/logo@v1.0.0', BYTES],
      ['prompts/empty', Buffer.alloc(0)],
    ])) {
      const { status, body } = await get(`/components/${ref}`)
      assert.deepEqual([status, body], [200, expected], ref)
    }
    assert.equal((await get('/components/prompts/a@staging')).json().code, 'SLOT_UNKNOWN')
  })

  test('bulk reads, listings and the health check work', async () => {
    const body = JSON.stringify({ refs: ['prompts/a@production', 'prompts/none@production'], content: true })
    const resolved = await rawRequest(edge.url, {
      method: 'POST',
      path: '/resolve',
      body,
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    })
    assert.match(resolved.text(), /grüßt “alle”/)
    assert.match(resolved.text(), /COMPONENT_UNKNOWN/)
    assert.match((await get('/catalog/prompts')).text(), /prompts\/empty/)
    assert.equal((await get('/healthz')).status, 200)
  })

  test('a sync takes effect with the next request', async () => {
    repo.commit({ 'prompts/a.md': 'anew' })
    repo.version('prompts/a', 'v1.1.0')
    repo.slot('prompts/a', 'production', 'v1.1.0')
    await sync()
    assert.equal((await get('/components/prompts/a@production')).text(), 'anew')
  })

  test('the commands printed by npm run edge work', async () => {
    const ids = []
    for (const tag of ['old', 'next']) ids.push((await edge.upload({ build: BUILD, tag })).id)
    await edge.deploy([[ids[0], 100]])
    const lines = whatToTry({ edge, ids, env: 'staging', spread: 0 }).replaceAll('prompts/extraction', 'prompts/a')
    const { code, stdout } = await shell(lines)
    assert.equal(code, 0, stdout)
    assert.match(stdout, /"percentage": 100/)
    assert.match(stdout, /^HTTP\/1\.1 200 OK/m)
    assert.match(
      stdout,
      new RegExp(
        `at 0% and version ${ids[0]} at 100%\\n{"scriptVersion":{"id":"${ids[0]}".*?}{"scriptVersion":{"id":"${ids[1]}"`,
        's',
      ),
    )
    assert.equal(stdout.match(/^{"scriptVersion":.*"tag":"(old|next)".*$/gm).length, 22)
    const [newest] = edge.worker.deployable()
    assert.match(stdout, new RegExp(`Worker Version ID: ${newest.id}\\n$`))
    assert.deepEqual([newest.annotations['workers/tag'], newest.annotations['workers/message']], ['mine', 'My change'])
  })

  test('the printed release command works', async () => {
    const [old] = edge.worker.deployments()[0].versions.map(({ version_id: id }) => id)
    const lines = releaseToTry({ edge, kv, ids: [old], env: 'staging' })
    const { code } = await shell(
      lines.replace('target/release/slotctl', binary()).replace('--bake 5s', '--bake 0s --steps 50'),
    )
    assert.equal(code, 0)
    const [newest] = edge.worker.deployable()
    const [{ versions, annotations }] = edge.worker.deployments()
    assert.deepEqual(versions, [{ version_id: newest.id, percentage: 100 }])
    assert.equal(annotations['workers/message'], `slotctl release ${newest.id} done`)
  })

  test('the KV gateway only reads values', async () => {
    /** @type {Record<string, string>} */
    const headers = { 'x-kv-namespace': 'SLOTS' }
    const ask = async (method, at, sent = headers) =>
      (await rawRequest(kv.url, { method, path: at, headers: sent })).status
    assert.deepEqual(
      [
        await ask('PUT', '/prompts%2Fa%40production'),
        await ask('GET', '/'),
        await ask('GET', '/a', {}),
        await ask('GET', '/a', { 'x-kv-namespace': 'CF_VERSION_METADATA' }),
      ],
      [501, 501, 404, 404],
    )
    assert.equal(await ask('GET', '/prompts%2Fa%40production?urlencoded=true'), 200)
  })
})

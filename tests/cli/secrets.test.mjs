import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { listening } from './support/recorder.mjs'
import { extractionRepo } from './support/repo.mjs'
import { gitEnv, slotctl } from './support/slotctl.mjs'

const TOKEN = 's3cret-token'

describe('slotctl sends a token', () => {
  const repo = extractionRepo()
  let recorder
  before(async () => {
    recorder = await listening()
  })
  after(() => recorder?.stop())

  /** A rollback against a KV that counts the calls; it has no slots. */
  const rollback = (resolver, env = {}) => {
    const kv = ['--local', recorder.url, '--slots-id', 'a', '--components-id', 'b']
    const args = ['rollback', 'prompts/extraction', 'production', ...kv, '--repo', repo.dir, '--resolver', resolver]
    return slotctl([...args, '--json'], { env: { ...gitEnv(), RESOLVER_TOKEN: TOKEN, ...env } })
  }

  for (const resolver of [
    'http://components.example.com',
    'http://127.evil.example',
    'http://127.0.0.1.evil.example:8787',
    'http://localhost.evil.example',
    'http://10.0.0.1:8787',
    'http://127.1',
  ]) {
    test(`not over http to ${resolver}, and stops before it reads or writes anything`, async () => {
      recorder.seen.length = 0
      const { code, json, stderr } = await rollback(resolver)
      assert.deepEqual([code, json.exit], [1, 1], stderr)
      assert.ok(stderr.includes(`RESOLVER_TOKEN is set: ${resolver} is not https, so the token would be sent`), stderr)
      assert.ok(!stderr.includes(TOKEN))
      assert.deepEqual(recorder.seen, [])
    })
  }

  for (const resolver of ['components.example.com', '127.evil.example', 'localhost:8787', '[::1]:8787', '127.9.9.9']) {
    test(`to ${resolver}, whose missing scheme is https except on this machine`, async () => {
      recorder.seen.length = 0
      const { stderr } = await rollback(resolver)
      assert.doesNotMatch(stderr, /not https/)
      assert.notDeepEqual(recorder.seen, [])
    })
  }

  test('without one, http is accepted', async () => {
    const { stderr } = await rollback('http://components.example.com', { RESOLVER_TOKEN: '' })
    assert.doesNotMatch(stderr, /not https/)
  })

  test('never to an address with a user name, and does not repeat its password', async () => {
    for (const resolver of ['https://ada:passw0rd@components.example.com', 'http://127.0.0.1@evil.example']) {
      const { code, stdout, stderr } = await rollback(resolver)
      assert.equal(code, 2, stderr)
      assert.match(stderr, /not an address of the form https:\/\/HOST/)
      assert.ok(!(stdout + stderr).includes('passw0rd'))
    }
  })

  test('of Cloudflare not over http either', async () => {
    const env = { ...gitEnv(), CLOUDFLARE_API_TOKEN: TOKEN, CLOUDFLARE_ACCOUNT_ID: '0af' }
    for (const base of ['http://127.evil.example/client/v4', 'http://api.example.com']) {
      const args = ['status', '--slots-id', 'a', '--components-id', 'b', '--repo', repo.dir]
      const { code, stderr } = await slotctl(args, { env: { ...env, CLOUDFLARE_API_BASE_URL: base } })
      assert.equal(code, 1, stderr)
      assert.match(stderr, /is not https, so the token would be sent unencrypted/)
      assert.ok(!stderr.includes(TOKEN))
    }
  })

  test('in an address of Cloudflare is not repeated', async () => {
    const env = { ...gitEnv(), CLOUDFLARE_API_TOKEN: TOKEN, CLOUDFLARE_ACCOUNT_ID: '0af' }
    const args = ['status', '--slots-id', 'a', '--components-id', 'b', '--repo', repo.dir]
    const base = 'https://ada:passw0rd@api.example.com'
    const { code, stderr } = await slotctl(args, { env: { ...env, CLOUDFLARE_API_BASE_URL: base } })
    assert.equal(code, 1, stderr)
    assert.match(stderr, /the address of the KV API/)
    assert.ok(!stderr.includes('passw0rd'), stderr)
  })
})

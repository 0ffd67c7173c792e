import assert from 'node:assert/strict'
import { test } from 'node:test'

import { startWorker } from '../worker/harness/workerd.mjs'
import { sha256 } from './support/kv.mjs'
import { slotctl } from './support/slotctl.mjs'

test('a token gives access to its scopes, on the Worker that has its hash', async () => {
  const { code, json } = await slotctl(['token', '--scope', 'prompts/*@production', '--json'])
  assert.equal(code, 0)
  assert.equal(json.hash, sha256(json.token))
  assert.deepEqual(json.readTokens, { [json.hash]: ['prompts/*@production'] })
  const worker = await startWorker({ vars: { READ_TOKENS: JSON.stringify(json.readTokens) } })
  worker.kv.put('COMPONENTS', 'index', JSON.stringify({ format: 1, components: [] }))
  try {
    const ask = (path, token) => worker.fetch(path, { headers: token ? { authorization: `Bearer ${token}` } : {} })
    const code = async (path, token) => (await ask(path, token)).json().code
    assert.equal(await code('/components/prompts/a@production'), 'TOKEN_REQUIRED')
    assert.equal(await code('/components/prompts/a@production', `${json.token}x`), 'TOKEN_REQUIRED')
    assert.equal(await code('/components/prompts/a@production', json.token), 'COMPONENT_UNKNOWN')
    assert.equal((await ask('/catalog', json.token)).status, 200)
  } finally {
    await worker.stop()
  }
})

test('prints the token, the line to store, and what to do with them', async () => {
  const { code, stdout, stderr } = await slotctl(['token', '--scope', '*'])
  assert.equal(code, 0)
  const [token, entry] = stdout.trim().split('\n')
  assert.match(token, /^crt_[\w-]{43}$/)
  assert.deepEqual(JSON.parse(entry), { [sha256(token)]: ['*'] })
  assert.match(stderr, /wrangler secret put READ_TOKENS/)
  assert.ok(!stderr.includes(token))
  assert.notEqual((await slotctl(['token', '--scope', '*'])).stdout, stdout)
})

test('an invalid scope is a usage error', async () => {
  const { code, stderr } = await slotctl(['token', '--scope', 'prompts'])
  assert.equal(code, 2)
  assert.match(stderr, /a scope is/)
  assert.equal((await slotctl(['token'])).code, 2)
})

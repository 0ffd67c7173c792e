// Settings in wrangler.toml as wrangler passes them on: a table of tokens, a secret in its local Secrets
// Store, and its rate limiter. tests/worker/settings.test.mjs has the other types.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'

import { QUIET_ENV, startDev } from '../../scripts/lib/dev-server.mjs'
import { ownNode, wranglerScript } from '../../scripts/lib/node-tools.mjs'
import { inRoot } from '../../scripts/lib/paths.mjs'
import { childEnv } from '../../scripts/lib/run.mjs'
import { temporaryFolder } from '../cli/support/repo.mjs'

const HASH = createHash('sha256').update('a').digest('hex')
const STORE = '0123456789abcdef0123456789abcdef'

const config = (settings) => `name = "settings"
main = ${JSON.stringify(inRoot('build', 'index.js'))}
compatibility_date = "2026-10-01"
kv_namespaces = [{ binding = "SLOTS", id = "slots" }, { binding = "COMPONENTS", id = "components" }]
${settings}
`

function createSecret(persistTo, file, value) {
  const args = ['secrets-store', 'secret', 'create', STORE, '--name', 'tokens', '--scopes', 'workers']
  execFileSync(
    ownNode(),
    ['--no-warnings', wranglerScript(), ...args, '--value', value, '--persist-to', persistTo, '--config', file],
    { env: childEnv(QUIET_ENV), stdio: 'pipe' },
  )
}

for (const [title, settings, secret] of [
  ['a table in [vars]', `[vars.READ_TOKENS]\n${HASH} = ["*"]`],
  [
    'a secret in the Secrets Store',
    `[[secrets_store_secrets]]\nbinding = "READ_TOKENS"\nstore_id = "${STORE}"\nsecret_name = "tokens"`,
    JSON.stringify({ [HASH]: ['*'] }),
  ],
]) {
  test(`READ_TOKENS as ${title} protects the resolver`, async () => {
    const folder = temporaryFolder('settings')
    const file = path.join(folder, 'wrangler.toml')
    const persistTo = path.join(folder, 'state')
    writeFileSync(file, config(settings))
    if (secret) createSecret(persistTo, file, secret)
    const server = await startDev({ port: 0, config: file, persistTo, quiet: true, isolated: true })
    try {
      const status = async (headers) => (await fetch(`${server.url}/components/a/b@production`, { headers })).status
      const found = [await status({}), await status({ authorization: 'Bearer b' })]
      assert.deepEqual([...found, await status({ authorization: 'Bearer a' })], [401, 401, 404])
    } finally {
      await server.stop()
    }
  })
}

test('a rate limiter refuses a caller beyond its limit', async () => {
  const folder = temporaryFolder('limit')
  const file = path.join(folder, 'wrangler.toml')
  const limiter = '[[ratelimits]]\nname = "RATE_LIMITER"\nnamespace_id = "1"\nsimple = { limit = 5, period = 60 }'
  writeFileSync(file, config(limiter))
  const persistTo = path.join(folder, 'state')
  const server = await startDev({ port: 0, config: file, persistTo, quiet: true, isolated: true })
  try {
    const answers = []
    // The limiter counts from the beginning of each minute, so one may begin in between.
    for (let at = 0; at < 11; at += 1) answers.push(await fetch(`${server.url}/version`))
    const refused = answers.find(({ status }) => status === 429)
    assert.ok(refused, 'no request was refused')
    assert.deepEqual([refused.headers.get('retry-after'), (await refused.json()).code], ['10', 'RATE_LIMITED'])
    assert.equal(answers[0].status, 200)
  } finally {
    await server.stop()
  }
})

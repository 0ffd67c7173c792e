import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

import { startDev } from '../../scripts/lib/dev-server.mjs'
import { extractionRepo, temporaryFolder } from '../cli/support/repo.mjs'
import { gitEnv, slotctl } from '../cli/support/slotctl.mjs'
import { FaultyProxy } from './support/proxy.mjs'

const HEAD = 'name = "calls"\nmain = "worker.mjs"\ncompatibility_date = "2026-10-01"\n'
const namespace = (binding) => `[[kv_namespaces]]\nbinding = "${binding}"\nid = "${binding.toLowerCase()}"\n`

describe('the calls of a command', () => {
  let dev
  let proxy
  before(async () => {
    const folder = temporaryFolder('worker')
    const config = path.join(folder, 'wrangler.toml')
    writeFileSync(path.join(folder, 'worker.mjs'), "export default { fetch: () => new Response('ok') }\n")
    writeFileSync(config, HEAD + ['SLOTS', 'COMPONENTS'].map(namespace).join(''))
    dev = await startDev({
      port: 0,
      config,
      persistTo: path.join(folder, 'state'),
      quiet: true,
      isolated: true,
    })
    proxy = await FaultyProxy.start(dev.url)
  })
  after(async () => {
    await proxy?.stop()
    await dev?.stop()
  })

  test('with --local list the namespaces once, also where nothing says their ids', async () => {
    const clone = extractionRepo().publish().clone()
    const rollback = ['rollback', 'prompts/extraction', 'staging', '--to', 'v1.0.0']
    for (const command of [['sync'], ['sync', '--repair'], ['status'], ['verify'], rollback]) {
      Object.assign(proxy, { calls: [], meet: () => null })
      const args = [...command, '--local', proxy.url, '--repo', clone.dir]
      const { code, stderr } = await slotctl(args, { env: gitEnv() })
      assert.equal(code, 0, `${command.join(' ')}: ${stderr}`)
      const lists = proxy.calls.filter(({ method, path }) => method === 'GET' && path === '')
      assert.equal(lists.length, 1, `${command.join(' ')}: ${stderr}`)
    }
  })
})

import assert from 'node:assert/strict'
import test from 'node:test'

import { startLocalEdge } from '../../scripts/lib/edge.mjs'
import { buildPrevious, missingHistory, PREVIOUS } from '../../scripts/lib/previous.mjs'
import { OVERRIDES } from '../../tools/edge/headers.js'
import { BUILD, WORKER } from '../edge/support/edge.mjs'
import { point } from '../worker/assignment.mjs'
import { startKvServer } from '../worker/harness/kv-server.mjs'
import { rawRequest } from '../worker/harness/request.mjs'
import { namespacesOf, readGolden } from './support/golden.mjs'

const COMPONENT = 'prompts/extraction'

test(`a key's version of a component is the same from ${PREVIOUS.tag} and this Worker, released at 50 %`, {
  skip: missingHistory(),
}, async () => {
  const kv = await startKvServer(namespacesOf(readGolden(PREVIOUS.tag, 'records.json')))
  const edge = await startLocalEdge({ worker: WORKER, kv: { address: kv.address, namespaces: kv.store.names() } })
  try {
    const { id: old } = await edge.upload({ build: await buildPrevious(), tag: PREVIOUS.tag })
    const { id: now } = await edge.upload({ build: BUILD, tag: 'now' })
    await edge.deploy([
      [now, 50],
      [old, 50],
    ])
    const by = { [old]: 0, [now]: 0 }
    for (let number = 0; number < 100; number += 1) {
      const key = `run-${number}`
      // The golden record's split: the first tenth gets canary, which is v1.1.0.
      const version = point(COMPONENT, key) < 10_000 ? 'v1.1.0' : 'v1.0.0'
      const seen = new Set()
      const sent = [{}, {}, { [OVERRIDES]: `${WORKER}="${old}"` }, { [OVERRIDES]: `${WORKER}="${now}"` }]
      for (const headersSent of sent) {
        const { headers, body } = await rawRequest(edge.url, {
          path: `/components/${COMPONENT}@production?key=${key}`,
          headers: headersSent,
        })
        by[headers['script-version']] += 1
        assert.equal(headers['component-version'], version, key)
        seen.add(`${headers.etag} ${headers['component-assignment']} ${body}`)
      }
      assert.equal(seen.size, 1, [...seen].join('\n'))
    }
    // 100 requests each name a version by its id; of the others, no version gets all.
    assert.ok(by[old] > 100 && by[now] > 100, JSON.stringify(by))
  } finally {
    await edge.stop()
    await kv.stop()
  }
})

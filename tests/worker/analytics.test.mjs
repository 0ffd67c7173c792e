// Analytics Engine does not run locally: workerd drops data points, as `wrangler dev` does. Therefore
// this binding prints them.
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { builtModules } from './harness/config.mjs'
import { startWorker } from './harness/workerd.mjs'

const entry = (writeDataPoint) => ({
  name: 'entry.mjs',
  source: `import Resolver from './index.js'
export default class extends Resolver {
  constructor(context, env) {
    super(context, { ...env, ANALYTICS: { writeDataPoint(point) { ${writeDataPoint} } } })
  }
}
`,
})

async function ask(writeDataPoint, headers) {
  const scriptVersion = { id: 'script-1', tag: 'v1-tag', timestamp: '2026-11-20T00:00:00Z' }
  const worker = await startWorker({ modules: [entry(writeDataPoint), ...builtModules()], scriptVersion })
  try {
    const { status } = await worker.fetch('/components/prompts/extraction@production', { headers })
    return { status, lines: worker.output.split('\n') }
  } finally {
    await worker.stop()
  }
}

test('a request is a data point, without data of the caller', async () => {
  const headers = { authorization: 'Bearer s3cret', 'component-version-key': 'ada@example.com' }
  const { status, lines } = await ask('console.log("POINT" + JSON.stringify(point))', headers)
  assert.equal(status, 404)
  const points = lines.filter((line) => line.startsWith('POINT')).map((line) => JSON.parse(line.slice(5)))
  assert.deepEqual(points, [
    {
      indexes: ['prompts/extraction'],
      blobs: ['prompts/extraction', 'production', '', '', '', 'none', 'script-1', 'COMPONENT_UNKNOWN', 'v1-tag', 'GET'],
      doubles: [404, 3, 0, 0],
    },
  ])
})

test('a failing data set does not affect the answer', async () => {
  const { status, lines } = await ask('throw new Error("over the limit")')
  assert.equal(status, 404)
  assert.ok(lines.some((line) => line === '{"analytics":"over the limit","scriptVersion":"script-1"}'))
})

// Runs the queries of docs/observability.md on the real Worker's log and data points, and compares the
// results with the tables of that page.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { before, describe, test } from 'node:test'

import { analyticsEngine, unknownWords } from './support/analytics.mjs'
import { logs, rowOf } from './support/logpush.mjs'
import { blocks, PAGE, queries, written } from './support/page.mjs'
import { BEGIN, END, SCRIPTS, sampleTraffic } from './support/traffic.mjs'
import { workersLogs } from './support/workers-logs.mjs'

let requests
before(async () => {
  requests = await sampleTraffic()
})

test('every line and every data point names the script version that made it', () => {
  assert.equal(requests.length, 113)
  for (const { script, log, point } of requests) {
    const { scriptVersion, scriptVersionTag } = JSON.parse(log)
    assert.deepEqual([scriptVersion, scriptVersionTag], [script.id, script.tag])
    assert.deepEqual([point.blobs[6], point.blobs[8]], [script.id, script.tag])
  }
})

describe('Analytics Engine', () => {
  for (const { name, text, table } of queries('analytics')) {
    test(name, () => {
      assert.deepEqual(unknownWords(text), [])
      assert.deepEqual(written(analyticsEngine(requests)(text)), table)
    })
  }

  test('the columns are those of the page', () => {
    const named = (column) => new RegExp(`^\\| \`${column}1\` … \`${column}(\\d+)\` \\| (.*) \\|$`, 'm').exec(PAGE)
    for (const [column, values] of [
      ['blob', requests[0].point.blobs],
      ['double', requests[0].point.doubles],
    ]) {
      const [, count, names] = named(column)
      assert.equal(Number(count), values.length)
      assert.equal(names.replace(/ \([^)]*\)/g, '').split(', ').length, values.length)
    }
  })

  test('a word of another SQL dialect is found', () => {
    assert.deepEqual(unknownWords('SELECT countIf(double1 > 1) AS a FROM component_resolver JOIN b'), [
      'countif',
      'join',
      'b',
    ])
  })
})

describe('Workers Logs', () => {
  for (const { name, text, table } of queries('logs')) {
    test(name, () => {
      const body = JSON.parse(text)
      assert.deepEqual(body.timeframe, { from: BEGIN, to: END })
      assert.deepEqual(written(workersLogs(requests)(body)), table)
    })
  }
})

describe('Logpush', () => {
  const [{ text: layOut }, ...asked] = queries('logpush')

  const laidOut = (rows) => {
    const db = logs(rows)
    db.exec(layOut)
    return db
  }

  for (const { name, text, table } of asked) {
    test(name, () => {
      assert.deepEqual(written(laidOut(requests.map(rowOf)).prepare(text).all()), table)
    })
  }

  test('a request without a log line, or with foreign ones, has a row', () => {
    const exception = {
      ...rowOf(requests[0]),
      Outcome: 'exception',
      Logs: [],
      Exceptions: [{ Name: 'RuntimeError', Message: 'unreachable' }],
    }
    const [{ Message }] = rowOf(requests[0]).Logs
    const talkative = {
      ...rowOf(requests[0]),
      Logs: [['no JSON'], ['{"kvReads":'], ['1'], Message].map((texts) => ({ Level: 'log', Message: texts })),
    }
    const rows = laidOut([exception, talkative]).prepare('SELECT tag, outcome, status, component FROM requests').all()
    assert.deepEqual(written(rows), [
      { tag: 'v0.1.0', outcome: 'exception', status: '500', component: '' },
      { tag: 'v0.1.0', outcome: 'ok', status: '200', component: 'prompts/extraction' },
    ])
  })

  const block = (name) => blocks('logpush').find((one) => one.name === name).text

  test('the row on the page is the first one', () => {
    assert.deepEqual(JSON.parse(block('row')), rowOf(requests[0]))
    assert.equal(requests[0].script, SCRIPTS.old)
  })

  test('the job exports the fields that the queries read', () => {
    const env = {
      PATH: process.env.PATH,
      CLOUDFLARE_ACCOUNT_ID: 'account',
      CLOUDFLARE_API_TOKEN: 't',
      R2_ACCESS_KEY_ID: 'id',
      R2_SECRET_ACCESS_KEY: 'key',
    }
    const script = `curl() { printf '%s\\n' "$1" >&2; cat; }\n${block('job')}`
    const job = JSON.parse(
      execFileSync('bash', ['-euc', script], { env, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' }),
    )
    assert.equal(job.dataset, 'workers_trace_events')
    assert.deepEqual(job.output_options.field_names.toSorted(), Object.keys(rowOf(requests[0])).toSorted())
    assert.equal(JSON.parse(job.filter).where.value, rowOf(requests[0]).ScriptName)
    assert.match(job.destination_conf, /\?account-id=account&access-key-id=id&secret-access-key=key$/)
  })
})

test('every query on the page is tested', () => {
  const fenced = PAGE.match(/^```(sql|json|sh)$/gm).length
  assert.equal(blocks('query').length + blocks('logpush').length, fenced)
  const kinds = ['analytics', 'logs', 'logpush'].map((by) => queries(by).length)
  assert.deepEqual(kinds, [5, 4, 3])
})

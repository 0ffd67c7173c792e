// Checks docs/api.md: runs its exchanges on the built Worker, and compares its tables with the source
// and with the conformance vectors.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'

import { examplesIn, runExample } from './api-examples.mjs'
import { readVectors } from './vectors.mjs'

const read = (path) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

const DOCUMENT = read('docs/api.md')
const EXAMPLES = examplesIn(DOCUMENT)
const CASES = readdirSync(new URL('../vectors/http/', import.meta.url)).flatMap((file) => {
  const { always, cases } = readVectors(file)
  return cases.map(({ answer }) => ({ ...answer, headers: { ...always, ...answer.headers } }))
})

const sorted = (values) => [...new Set(values)].sort()

/** The cells of a column in the tables of a section. */
function column(section, at = 1) {
  const text = DOCUMENT.split(`\n## ${section}\n`)[1].split('\n## ')[0]
  const rows = text
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| (---|code|status|header|setting) /.test(line))
  return rows.map((row) => row.split(' | ').map((cell) => cell.replace(/^\| /, ''))[at - 1])
}

const spans = (cells) => cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name))

/** A body with the line ends of the document, including the last one. */
const lines = (text) => text?.replaceAll('\r\n', '\n').replace(/\n?$/, '\n')

function checkBody(answer, { how, body }) {
  if (how.includes('bodiless')) return
  if (body && /json/.test(answer.headers['content-type'])) return assert.deepEqual(answer.json(), JSON.parse(body))
  assert.equal(lines(answer.text()), lines(body))
}

describe('the exchanges of docs/api.md', () => {
  for (const example of EXAMPLES) {
    const { file, how, request, answer: shown } = example
    const title = request ? `${request.method} ${request.path}` : how
    test(`${file} ${how}: ${title} is ${shown.status}`, async () => {
      const { answer } = await runExample(example)
      assert.equal(answer.status, shown.status, answer.text())
      for (const [name, value] of Object.entries(shown.headers)) {
        assert.equal(answer.headers[name.toLowerCase()], value, name)
      }
      checkBody(answer, { how, body: shown.body })
    })
  }

  test('are all checked', () => {
    const blocks = DOCUMENT.match(/^```http$/gm).length
    const checked = EXAMPLES.reduce((sum, { request }) => sum + (request ? 2 : 1), 0)
    assert.equal(blocks, checked)
  })

  test('include every status', () => {
    assert.deepEqual(sorted(EXAMPLES.map(({ answer }) => String(answer.status))), sorted(column('Statuses')))
  })
})

/** The refusal that needs a binding, which the vectors do not have: limit.test.mjs checks it. */
const LIMITED = { status: '429', code: 'RATE_LIMITED' }

describe('the tables of docs/api.md', () => {
  const refusal = read('crates/catalog/src/refusal.rs')

  test('each status has a vector, and no vector another status', () => {
    const inVectors = CASES.map(({ status }) => String(status))
    assert.deepEqual(sorted(column('Statuses')), sorted([...inVectors, LIMITED.status]))
  })

  test('each error code is in the source and in a test', () => {
    const codes = sorted(spans(column('Errors')))
    const inCode = [...refusal.matchAll(/=> "([A-Z]+(?:_[A-Z]+)+)"/g)].map(([, code]) => code)
    assert.deepEqual(codes, sorted(inCode))
    const texts = CASES.map(({ json, body }) => JSON.stringify(json ?? body ?? ''))
    const inVectors = texts.flatMap((text) => [...text.matchAll(/"code":"([A-Z_]+)"/g)].map(([, code]) => code))
    // memory.test.mjs checks the code that no single request gets.
    assert.deepEqual(codes, sorted([...inVectors, 'ISOLATE_OVERLOADED', LIMITED.code]))
  })

  test('each error code has the status of its vectors', () => {
    const documented = Object.fromEntries(
      spans(column('Errors')).map((code, at) => [code, Number(column('Errors', 2)[at])]),
    )
    for (const { json } of CASES.filter((answer) => answer.json?.code)) {
      assert.equal(json.status, documented[json.code], json.code)
    }
  })

  test('each response header is listed', () => {
    const documented = spans(column('Headers')).map((name) => name.toLowerCase())
    const answered = CASES.flatMap(({ headers }) => Object.keys(headers))
    assert.deepEqual(
      sorted(answered).filter((name) => !documented.includes(name)),
      [],
    )
  })

  test('each setting and binding is read by the source', () => {
    const documented = spans(column('Settings'))
    const config = read('src/config/mod.rs')
    const settings = [...config.matchAll(/^ {4}\/\/\/ (`[A-Z_`, and]+`):/gm)].flatMap(([, names]) => spans([names]))
    const bound = [
      ...`${read('src/runtime/isolate.rs')}${read('src/runtime/reply.rs')}`.matchAll(/&"([A-Z_]+)"\.into\(\)/g),
    ].map(([, name]) => name)
    assert.ok(settings.length > 5 && bound.length > 0)
    assert.deepEqual(sorted(documented), sorted([...settings, ...bound, 'SLOTS', 'COMPONENTS']))
  })
})

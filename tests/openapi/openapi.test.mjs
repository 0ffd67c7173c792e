// schemathesis sends valid and invalid requests according to docs/openapi.yaml to the built Worker, and
// checks the answers against the document.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { hasPython } from '../../scripts/lib/venv.mjs'
import { serveVectors } from '../worker/vectors.mjs'
import { ensureSchemathesis, runSchemathesis } from './schemathesis.mjs'

const DOCUMENT = fileURLToPath(new URL('../../docs/openapi.yaml', import.meta.url))

const missing = hasPython(11) ? false : 'python3 (3.11 or later, with venv) is not installed'
const skip = process.env.CI ? false : missing

// A valid entity tag in If-Match need not be that of the content: 412. The others are the defaults.
const CONFIG = `[checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", 401, 403, 404, 409, 412, 429, "5xx"]
`

const RUN = [
  DOCUMENT,
  '--phases=examples,coverage,fuzzing',
  '--max-examples=15',
  '--seed=1',
  '--workers=1',
  // OPTIONS accepts any component name, and almost every text is one.
  '--suppress-health-check=filter_too_much',
]

describe('docs/openapi.yaml', { skip }, () => {
  let folder
  before(() => {
    assert.equal(missing, false, `${missing}, which CI needs`)
    ensureSchemathesis()
    folder = mkdtempSync(path.join(tmpdir(), 'component-resolver-openapi-'))
    writeFileSync(path.join(folder, 'schemathesis.toml'), CONFIG)
  })
  after(() => folder && rmSync(folder, { recursive: true, force: true }))

  const holds = async (file, ...args) => {
    const { worker } = await serveVectors(file)
    try {
      const { code, output } = await runSchemathesis([...RUN, `--url=${worker.url}`, ...args], folder)
      assert.equal(code, 0, output)
      const operations = /Tested: (\d+)/.exec(output)
      assert.equal(operations?.[1], String(documented()), output)
    } finally {
      await worker.stop()
    }
  }

  test('describes a Worker without tokens', () => holds('catalog.json'))

  test('describes a Worker that needs tokens', () => holds('access.json', '--header=Authorization: Bearer all'))

  test('lists the error codes of docs/api.md', () => {
    const codes = (text) => [...new Set(text.match(/\b[A-Z]+(?:_[A-Z]+)+\b/g))].sort()
    const listed = readFileSync(DOCUMENT, 'utf8')
      .split('\n')
      .filter((line) => /^ +- [A-Z_]+$/.test(line))
    const api = readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8')
    assert.deepEqual(codes(listed.join('\n')), codes(api.split('\n## Errors\n')[1].split('\nOne of each')[0]))
  })
})

/** The number of operations in the document. */
function documented() {
  const methods = /^ {4}(get|head|post|options):$/gm
  return readFileSync(DOCUMENT, 'utf8').match(methods).length
}

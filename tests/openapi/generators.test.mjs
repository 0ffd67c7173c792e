// Real generators read docs/openapi.yaml. The clients that they generate fetch a prompt
// from the built Worker.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { hasPython } from '../../scripts/lib/venv.mjs'
import { serveVectors } from '../worker/vectors.mjs'
import { installGenerators, lintProblems, NODE_MODULES, PYTHON } from './generators.mjs'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const DOCUMENT = fileURLToPath(new URL('../../docs/openapi.yaml', import.meta.url))

const skip = process.env.CI || hasPython(10) ? false : 'python3 (3.10 or later, with venv) is not installed'

const EXPECTED = {
  text: 'Extract the fields.\n',
  code: 'SLOT_UNKNOWN',
  version: 'v1.0.0',
}

describe('generators of clients', { skip }, () => {
  let folder
  let worker
  before(async () => {
    installGenerators()
    folder = mkdtempSync(path.join(tmpdir(), 'component-resolver-generators-'))
    ;({ worker } = await serveVectors('answers.json'))
  })
  after(async () => {
    await worker?.stop()
    if (folder) rmSync(folder, { recursive: true, force: true })
  })

  /** Runs a command without blocking this process, which serves the KV of the Worker. */
  const run = async (command, args, env = {}) => {
    const options = { cwd: folder, env: { ...process.env, ...env } }
    const { stdout, stderr } = await promisify(execFile)(command, args, options).catch((error) => {
      throw new Error(`${error.message}\n${error.stdout}`)
    })
    return { printed: stdout, all: stdout + stderr }
  }

  /** @param {string} printed */
  const assertFetched = (printed) => {
    const { versions, ...fetched } = JSON.parse(printed)
    assert.deepEqual(fetched, EXPECTED)
    assert.ok(versions.includes('v1.0.0'), versions)
  }

  test('openapi-python-client generates a package that imports and fetches', async () => {
    const generate = ['-m', 'openapi_python_client', 'generate', '--path', DOCUMENT, '--meta', 'none']
    const { all } = await run(PYTHON, [...generate, '--output-path', 'component_resolver_client'])
    assert.doesNotMatch(all, /WARNING|Unable to|Cannot parse/)
    const script = path.join(HERE, 'generators/fetch_prompt.py')
    const { printed } = await run(PYTHON, [script, worker.url], { PYTHONPATH: folder })
    assertFetched(printed)
  })

  test('openapi-typescript generates types that compile and fetch', async () => {
    symlinkSync(NODE_MODULES, path.join(folder, 'node_modules'), 'junction')
    cpSync(path.join(HERE, 'generators/fetch_prompt.ts'), path.join(folder, 'fetch_prompt.mts'))
    const bin = (name) => path.join(NODE_MODULES, name)
    await run(process.execPath, [bin('openapi-typescript/bin/cli.js'), DOCUMENT, '--output', 'schema.d.ts'])
    const options = ['--strict', '--module', 'nodenext', '--target', 'es2022', '--skipLibCheck']
    await run(process.execPath, [bin('typescript/bin/tsc'), ...options, '--lib', 'es2022,dom', 'fetch_prompt.mts'])
    const { printed } = await run(process.execPath, ['fetch_prompt.mjs', worker.url])
    assertFetched(printed)
  })

  test('Redocly finds nothing to report but what the interface is', async () => {
    assert.deepEqual(await lintProblems(DOCUMENT), [])
  })
})

// Checks the shipped types with the TypeScript compiler.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const folder = path.dirname(fileURLToPath(import.meta.url))
const compiler = path.join(
  path.dirname(createRequire(import.meta.url).resolve('typescript/package.json')),
  'bin',
  'tsc',
)

test('the binding is assignable to the read methods of KVNamespace, and the client matches its types', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [compiler, '--project', folder], { encoding: 'utf8' })
  assert.equal(status, 0, stdout + stderr)
})

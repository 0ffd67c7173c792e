import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { before, describe, test } from 'node:test'

import { Repo, temporaryFolder } from './support/repo.mjs'
import { slotctl } from './support/slotctl.mjs'

const EXTRACTION = 'prompts/extraction'

/** extraction with a split and a revoked version, and a schema. */
function components() {
  const repo = new Repo()
  for (const version of ['v1.0.0', 'v1.0.1', 'v1.1.0']) {
    repo.commit({ 'prompts/extraction.md': `Extract, ${version}.\n`, 'schemas/order.json': '{}' })
    repo.version(EXTRACTION, version)
  }
  repo.version('schemas/order', 'v2.0.0')
  for (const [slot, version] of Object.entries({ production: 'v1.0.0', canary: 'v1.1.0' }))
    repo.slot(EXTRACTION, slot, version)
  repo.commit({
    'rollouts.toml': `["${EXTRACTION}".production]\nsplit = { canary = 10 }\n["${EXTRACTION}"]\nrevoked = { "v1.0.1" = "leaks" }\n`,
  })
  return repo
}

function project(files) {
  const dir = temporaryFolder('project')
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(dir, file)), { recursive: true })
    writeFileSync(path.join(dir, file), text)
  }
  return dir
}

describe('slotctl lint', () => {
  let repo
  before(() => {
    repo = components()
  })

  const lint = async (files, ...flags) => slotctl(['lint', project(files), '--repo', repo.dir, ...flags])

  /** `<line> <code> <help>` of each finding of one file. */
  const findings = async (name, text) => {
    const { code, json, stderr } = await lint({ [name]: text }, '--json')
    assert.equal(code, json.findings.some(({ level }) => level === 'error') ? 3 : 0, stderr)
    assert.ok(json.findings.every(({ file }) => file === name))
    return json.findings.map(({ line, code, help = '' }) => `${line} ${code} ${help}`.trim())
  }

  for (const [
    what,
    name,
    text,
    expected,
  ] of /** @type {[what: string, name: string, text: string, expected: string[]][]} */ ([
    [
      'what resolves',
      'a.yaml',
      'component: prompts/extraction@production\nprompt: prompts/extraction\nuses: actions/checkout@v4\n',
      [],
    ],
    [
      'an unknown component',
      'a.yaml',
      'agents:\n  - component: prompts/extration@production\n',
      ['2 unknown-component prompts/extraction'],
    ],
    [
      'a type with a slip',
      'a.yml',
      'component: promtps/extraction@production\n',
      ['1 unknown-component prompts/extraction'],
    ],
    [
      'an unknown slot',
      'a.yaml',
      'component: prompts/extraction@prod\n',
      ['1 unknown-slot prompts/extraction@production'],
    ],
    [
      'an unknown version',
      'a.yaml',
      'component: prompts/extraction@v1.1.1\n',
      ['1 unknown-version prompts/extraction@v1.1.0'],
    ],
    ['a revoked version', 'a.yaml', 'component: prompts/extraction@v1.0.1\n', ['1 revoked-version']],
    [
      'an empty range',
      'a.ts',
      "env.COMPONENTS.get('prompts/extraction@^3')",
      ['1 unsatisfied-range one of production, latest, canary, v1.1.0, v1.0.0'],
    ],
    [
      'a range that the resolver answers',
      'a.ts',
      "env.COMPONENTS.get('schemas/order@^2.0.0')\nloader.load(`schema://order@^2`)",
      [],
    ],
    [
      'a slot of a split',
      'a.yaml',
      'component: prompts/extraction@canary\n',
      ['1 redundant-slot prompts/extraction@production, without a condition'],
    ],
    ['no reference', 'a.yaml', 'component: prompts/extraction@a b\n', ['1 malformed']],
    [
      'versions in an expression',
      'a.yaml',
      "component: >\n  ${Math.random() < 0.5\n    ? 'prompts/extraction@v9.0.0'\n    : 'prompts/extraction@v1.0.0'}\n",
      ['3 unknown-version prompts/extraction@v1.0.0'],
    ],
    [
      'keys and addresses of scripts',
      'a.ts',
      "get('components/prompts/extraction/v7.0.0')\n// 'prompts/none@production'\nload('prompt://none')\nloadComponent('none@v1.0.0', env, 'schema')\n",
      ['1 unknown-version prompts/extraction@v1.0.0', '3 unknown-component', '4 unknown-component'],
    ],
    [
      'what is no YAML',
      'a.yaml',
      "ok: prompts/none@production\nvariant: ${a ? 'b' : 'c'}\n",
      ['1 unknown-component', "2 no-yaml a text with ': ' or ' #' in it is put in quotes"],
    ],
  ])) {
    test(what, async () => assert.deepEqual(await findings(name, text), expected))
  }

  test('reports a range that Conductor treats as text', async () => {
    const { json } = await lint({ 'a.yaml': 'schema: schemas/order@^2.0.0\n' }, '--json')
    assert.deepEqual(
      json.findings.map(({ code, reference }) => [code, reference]),
      [['taken-for-text', 'schemas/order@^2.0.0']],
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

  test('has no findings in a correct project, and an error without a project', async () => {
    const { code, stdout } = await lint({ 'a.yaml': 'component: prompts/extraction@production\n' })
    assert.deepEqual([code, stdout], [0, ''])
    const none = await slotctl(['lint', path.join(repo.dir, 'nowhere'), '--repo', repo.dir])
    assert.equal(none.code, 1)
    assert.match(none.stderr, /nowhere is no folder/)
  })
})

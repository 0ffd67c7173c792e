// `slotctl` in support/slotctl.mjs checks each output against its schema. These tests run every
// command with success and with failure; tests/release has the steps of `release`.
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

import { startKv } from './support/kv.mjs'
import { extractionRepo, temporaryFolder } from './support/repo.mjs'
import { COMMANDS, checkShape } from './support/schemas.mjs'
import { gitEnv, slotctl } from './support/slotctl.mjs'

const NAME = 'prompts/extraction'

let kv
before(async () => {
  kv = await startKv({ pairs: 2 })
})
after(() => kv?.stop())

/** A repository with a split, a remote and a Conductor project, and KV that was synced from it. */
async function stage() {
  const [repo, pair, folder] = [extractionRepo(), kv.pair(), temporaryFolder('schemas')]
  repo.commit({ 'rollouts.toml': `["${NAME}".production]\nsplit = { staging = 10 }\n` })
  repo.git('remote', 'add', 'origin', repo.publish().dir)
  const [keys, project] = [path.join(folder, 'keys.txt'), path.join(folder, 'project')]
  writeFileSync(keys, 'ada\ngrace\n')
  mkdirSync(project)
  writeFileSync(path.join(project, 'agent.yaml'), 'prompt: prompts/extracton@production\n')
  const where = ['--local', kv.url, '--config', pair.config, '--repo', repo.dir]
  const synced = await slotctl(['sync', ...where, '--json'], { env: gitEnv() })
  assert.equal(synced.code, 0, synced.stderr)
  return { repo, pair, keys, project }
}

const KV_COMMANDS = ['sync', 'status', 'rollback', 'hold', 'verify', 'history']

/** Runs a command line as it is written, with the repository and the KV of the stage. */
function run(line, { repo, pair, keys, project }, server = kv.url) {
  const words = line.replace('KEYS', keys).replace('PROJECT', project).split(' ')
  const needsKv = KV_COMMANDS.includes(words[0]) && !words.includes('--offline')
  const local = needsKv ? ['--local', server, '--config', pair.config] : []
  const where = ['history', 'token'].includes(words[0]) ? [] : ['--repo', repo.dir]
  return slotctl([...words, ...local, ...where, '--json'], {
    env: { ...gitEnv(), SLOTCTL_RETRIES: '0', SLOTCTL_TIMEOUT: '2' },
  })
}

const DONE = [
  ['sync', 0],
  ['sync --dry-run --check', 0],
  ['status', 0],
  ['status --offline', 0],
  [`explain ${NAME} production --key ada`, 0],
  [`explain ${NAME} production --keys KEYS`, 0],
  ['lint PROJECT', 3],
  [`rollout ${NAME} production --to staging --percent 20`, 0],
  ['rollout plan', 0],
  [`history ${NAME}`, 0],
  ['verify', 0],
  [`tag bump ${NAME} minor`, 0],
  [`tag create ${NAME} v2.0.0`, 0],
  [`tag set ${NAME} canary v1.1.0`, 0],
  ['tag list', 0],
  [`tag show ${NAME}`, 0],
  [`tag show ${NAME} canary`, 0],
  ['push --tags --force', 0],
  [`tag delete ${NAME} canary`, 0],
  [`rollback ${NAME} staging --to v1.0.0`, 0],
  ['hold list', 0],
  [`hold lift ${NAME} staging`, 0],
  ['status --check', 3],
  ['token --scope prompts/*@production', 0],
]

const FAILED = [
  ['sync --only prompts/other', 1],
  ['status --slot other', 1],
  ['explain prompts/other production --key ada', 1],
  ['lint /nonexistent', 1],
  ['rollout prompts/other production --to staging --percent 20', 1],
  ['rollout plan --keys /nonexistent', 1],
  ['history prompts/other', 1],
  ['tag bump prompts/other minor', 1],
  [`tag create ${NAME} v1.0.0`, 1],
  [`tag set ${NAME} canary v7.0.0`, 1],
  ['tag list prompts/other', 1],
  ['tag show prompts/other', 1],
  ['tag delete prompts/other canary', 1],
  ['push nowhere', 1],
  ['rollback prompts/other staging', 1],
  ['hold list --only prompts/other', 1],
  [`hold lift ${NAME} staging`, 1],
]

describe('--json', () => {
  test('of each command that succeeds has the shape of its schema', async () => {
    const all = await stage()
    for (const [line, code] of DONE) {
      const { json, stderr, ...ended } = await run(line, all)
      assert.deepEqual([ended.code, json?.error], [code, undefined], `${line}: ${stderr}`)
    }
  })

  test('of each command that fails has the shape of its schema', async () => {
    const all = await stage()
    for (const [line, code] of FAILED) {
      const { json, stderr, ...ended } = await run(line, all)
      assert.deepEqual([ended.code], [code], `${line}: ${stderr}`)
      assert.ok(json.error?.what ?? json.refused?.length > 0, `${line}: ${JSON.stringify(json)}`)
      assert.notEqual(json.error?.code, 'USAGE', String(line))
    }
    for (const command of KV_COMMANDS) {
      const lines = { rollback: `rollback ${NAME} staging`, hold: 'hold list', history: `history ${NAME}` }
      const line = lines[command] ?? command
      const { json } = await run(line, all, 'http://127.0.0.1:9')
      assert.equal(json.error.code, 'KV_API', command)
      assert.match(json.error.help, /npm run dev/)
    }
  })

  test('of each command whose command line is wrong names the command and what to do', async () => {
    for (const command of COMMANDS) {
      const { code, json, stderr } = await slotctl([...command.split(' '), '--frobnicate', '--json'])
      assert.deepEqual([code, json.command, json.error.code], [2, command, 'USAGE'])
      assert.match(json.error.what, /'--frobnicate'/)
      assert.ok(stderr.startsWith(`error: ${json.error.what.slice(0, 20)}`), stderr)
    }
    const unknown = (await slotctl(['snyc', '--json'])).json
    assert.deepEqual([unknown.command, unknown.exit], [null, 2])
    assert.match(unknown.error.help, /'sync'/)
    assert.equal((await slotctl(['snyc', '--', '--json'])).stdout, '', 'an argument, not the option')
  })

  test('covers each command that has a schema', () => {
    const lines = (list) => list.map(([line]) => `${line} `)
    const named = (list) => COMMANDS.filter((command) => list.some((line) => line.startsWith(`${command} `)))
    assert.deepEqual([...named(lines(DONE)), 'release'].sort(), COMMANDS.toSorted())
    const failed = [...lines(FAILED), ...KV_COMMANDS.map((command) => `${command} `)]
    assert.deepEqual([...named(failed), 'release', 'token'].sort(), COMMANDS.toSorted())
  })
})

describe('the schemas', () => {
  const LIST = { schema: 1, command: 'tag list', exit: 0, tags: [] }

  test('refuse unknown, missing and wrong members', () => {
    checkShape(LIST)
    for (const [change, message] of [
      [{ more: 1 }, /unevaluated/],
      [{ tags: undefined }, /required property 'tags'/],
      [{ tags: [{ tag: 'a' }] }, /tags\/0: must have required property/],
      [{ exit: 4 }, /exit: must be equal to one of/],
      [{ schema: 2 }, /schema: must be equal to constant/],
      [{ error: { why: 'x' } }, /error: must have required property 'what'/],
      [{ command: 'frobnicate' }, /frobnicate.json is missing/],
    ]) {
      assert.throws(() => checkShape(JSON.parse(JSON.stringify({ ...LIST, ...change }))), message)
    }
  })

  test('accept an error in place of the members of the command', () => {
    checkShape({ schema: 1, command: 'tag list', exit: 1, error: { what: 'it is on fire' } })
  })
})

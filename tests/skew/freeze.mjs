// Saves the records and answers of a release, which later releases must be able to read:
//
//     node tests/skew/freeze.mjs v0.1.0 [the folder of its build, build/ by default]
//
// with its slotctl in target/release, or in SLOTCTL. Saved files are never replaced.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { startKv } from '../cli/support/kv.mjs'
import { Repo } from '../cli/support/repo.mjs'
import { gitEnv, slotctl } from '../cli/support/slotctl.mjs'
import { builtModules } from '../worker/harness/config.mjs'
import { startWorker } from '../worker/harness/workerd.mjs'
import { GOLDEN, kept, namespacesOf } from './support/golden.mjs'

const NAME = 'prompts/extraction'
const HELD = 'configs/limits'
const POLICY = `["${NAME}".production]
split = { canary = 10 }
segments = { internal = "ring-0", beta = "ring-1" }
["${NAME}".live]
alias = "green"
["${NAME}".experiment]
split = { control = 50, treatment = 50 }
["${NAME}"]
revoked = { "v1.0.3" = "leaks the system prompt" }
`

/** Creates a repository whose sync writes every kind of record, with all possible members. */
function makeRepo() {
  const repo = new Repo()
  repo.now = 1_770_000_000
  const release = (name, file, version, content) => {
    repo.commit({ [file]: content }, `${name} ${version}`)
    repo.version(name, version)
    repo.now += 60
  }
  for (const version of ['v1.0.0', 'v1.0.3', 'v1.1.0', 'v2.0.0-beta.1']) {
    release(NAME, 'prompts/extraction.md', version, `Extract, ${version}: grüßt “alle”.\n`)
  }
  release(HELD, 'configs/limits.json', 'v1.0.0', '{"limit":1}\n')
  release(HELD, 'configs/limits.json', 'v1.1.0', '{"limit":2}')
  release('templates/emails/welcome', 'templates/emails/welcome.html', 'v1.0.0', '<p>Welcome</p>\r\n')
  release('templates/logo', 'templates/logo.bin', 'v0.0.1+build.5', Buffer.from([0, 255, 254, 10, 13, 0]))
  release('prompts/empty', 'prompts/empty.md', 'v1.0.0', '')
  release('prompts/gone', 'prompts/gone.md', 'v1.0.0', 'Nobody names this any more.\n')
  repo.commit({ 'rollouts.toml': POLICY, 'prompts/extraction.md': 'Unreleased.\n' })
  const slots = {
    production: 'v1.0.0',
    canary: 'v1.1.0',
    'ring-0': 'v2.0.0-beta.1',
    'ring-1': 'v1.1.0',
    green: 'v1.1.0',
    control: 'v1.0.0',
    treatment: 'v1.1.0',
  }
  for (const [slot, version] of Object.entries(slots)) repo.slot(NAME, slot, version)
  repo.git('tag', '-a', '-m', 'Try what is on main', `components/${NAME}/head`, 'HEAD')
  repo.slot(HELD, 'production', 'v1.0.0')
  return repo
}

/** Several syncs and a rollback write moves, a hold, unreferenced contents and records of runs. */
async function fill(kv, pair, repo) {
  const run = async (...args) => {
    const where = ['--local', kv.url, '--config', pair.config, '--repo', repo.dir]
    const { code, stderr } = await slotctl([...args, ...where], { env: gitEnv() })
    if (code !== 0) throw new Error(`slotctl ${args.join(' ')}: ${stderr}`)
  }
  await run('sync')
  repo.now += 60
  repo.slot(HELD, 'production', 'v1.1.0', 'More: "twice" as much')
  await run('sync')
  repo.git('tag', '--delete', 'components/prompts/gone/v1.0.0')
  await run('sync', '--prune')
  const ended = await recordsOf(pair.components)
  await run('rollback', HELD, 'production', '--reason', 'Too much, says Ärger')
  const runs = Object.entries(ended).filter(([key]) => key.startsWith('sync@'))
  return {
    SLOTS: await recordsOf(pair.slots),
    COMPONENTS: { ...(await recordsOf(pair.components)), ...Object.fromEntries(runs) },
  }
}

async function recordsOf(namespace) {
  const records = {}
  for (const [key, metadata] of Object.entries(await namespace.listAll()).sort()) {
    const value = await namespace.get(key)
    const text = value.toString()
    const isText = Buffer.from(text).equals(value)
    records[key] = { value: isText ? text : { $base64: value.toString('base64') }, ...(metadata && { metadata }) }
  }
  return records
}

/** Requests that read every record that the Worker uses, in every way. */
function requests({ SLOTS, COMPONENTS }) {
  const versions = Object.entries(COMPONENTS).filter(([key]) => /@(v\d|[0-9a-f]{40}$)/.test(key))
  const byDigest = versions.map(([key, { metadata }]) => `${key.replace(/@.*/, '')}@sha256:${metadata.digest}`)
  const ranges = ['^1', '~1.0', '*', '>=2.0.0-beta <3'].map((range) => `${NAME}@${encodeURIComponent(range)}`)
  const refs = [...Object.keys(SLOTS), ...versions.map(([key]) => key), ...byDigest, ...ranges, NAME]
  const slot = `/components/${NAME}@production`
  const paths = [
    ...refs.map((ref) => `/components/${ref}?key=caller-1`),
    `${slot}?key=caller-2&explain`,
    '/catalog',
    '/catalog/prompts',
    `/catalog/${NAME}`,
    `/catalog/${HELD}`,
  ]
  const headers = [
    { 'component-segment': 'beta' },
    { 'component-segment': 'none, internal' },
    { 'component-version-override': 'v1.1.0' },
  ]
  return [...paths.map((at) => ({ path: at })), ...headers.map((sent) => ({ path: slot, headers: sent }))]
}

async function answersTo(asked, records, build) {
  const worker = await startWorker({ kv: namespacesOf(records), modules: builtModules(build) })
  try {
    const answers = []
    for (const request of asked) answers.push({ request, answer: kept(await worker.rawRequest(request)) })
    return answers
  } finally {
    await worker.stop()
  }
}

/** One line per record, so that a diff shows the changed ones. */
const lines = (object) =>
  `{\n${Object.entries(object)
    .map(([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)}`)
    .join(',\n')}\n}`

const [release, build] = process.argv.slice(2)
const folder = path.join(GOLDEN, String(release))
if (!/^v\d+\.\d+\.\d+$/.test(release) || existsSync(folder))
  throw new Error(`${release}: no release, or kept already in ${folder}`)
const kv = await startKv({ pairs: 1 })
try {
  const records = await fill(kv, kv.pair(), makeRepo())
  const answers = await answersTo(requests(records), records, build)
  mkdirSync(folder, { recursive: true })
  const texts = Object.entries(records).map(([namespace, values]) => `${JSON.stringify(namespace)}: ${lines(values)}`)
  writeFileSync(path.join(folder, 'records.json'), `{\n${texts.join(',\n')}\n}\n`)
  writeFileSync(
    path.join(folder, 'answers.json'),
    `[\n${answers.map((one) => `  ${JSON.stringify(one)}`).join(',\n')}\n]\n`,
  )
} finally {
  await kv.stop()
}

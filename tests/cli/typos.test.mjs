// A mistyped name is answered with the nearest existing one, by each command that takes a name.
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

import { startKv } from './support/kv.mjs'
import { extractionRepo, temporaryFolder } from './support/repo.mjs'
import { gitEnv, slotctl } from './support/slotctl.mjs'

const NAME = 'prompts/extraction'

let kv
before(async () => {
  kv = await startKv({ pairs: 1 })
})
after(() => kv?.stop())

describe('a mistyped name', () => {
  let repo
  let pair
  const folder = temporaryFolder('typos')

  const run = (line, cwd = folder) => {
    const words = line.split(' ')
    const local = ['sync', 'rollback', 'verify', 'history'].includes(words[0]) || line.startsWith('status --only')
    const where = local ? ['--local', kv.url, '--config', pair.config] : []
    const from = words[0] === 'history' ? [] : ['--repo', repo.dir]
    return slotctl([...words, ...where, ...from], { env: gitEnv(), cwd })
  }

  before(async () => {
    repo = extractionRepo()
    pair = kv.pair()
    repo.commit({ 'rollouts.toml': `["${NAME}".production]\nsplit = { staging = 10 }\n` })
    assert.equal((await run('sync')).code, 0)
    repo.git('remote', 'add', 'origin', repo.publish().dir)
    writeFileSync(path.join(folder, 'keys.txt'), 'ada\n')
    writeFileSync(path.join(folder, 'registry.json'), '{}')
    mkdirSync(path.join(folder, 'project'))
  })

  for (const [line, hint] of /** @type {[string, RegExp][]} */ ([
    // Components.
    ['tag create prompts/extracton v2.0.0', /did you mean prompts\/extraction\? slotctl tag list prompts\/extraction$/],
    ['tag bump prompts/extracton minor', /did you mean prompts\/extraction\?/],
    ['tag set prompts/extracton production v1.0.0', /slotctl tag set prompts\/extraction production v1\.0\.0$/],
    ['tag show prompts/extracton', /did you mean prompts\/extraction\?/],
    ['tag list prompt/extraction', /did you mean prompts\/extraction\?/],
    ['tag delete prompts/extracton v1.0.0 --force', /did you mean prompts\/extraction\?/],
    ['explain prompts/extracton production --key ada', /did you mean prompts\/extraction\?/],
    ['rollout prompts/extracton production --to staging --percent 20', /did you mean prompts\/extraction\?/],
    ['rollout plan prompts/extracton', /did you mean prompts\/extraction\?/],
    ['status --offline --only prompts/extracton', /did you mean prompts\/extraction\?/],
    ['status --only prompts/extracton', /did you mean prompts\/extraction\?/],
    ['sync --only prompts/extracton', /did you mean prompts\/extraction\?/],
    ['verify --only prompts/extracton', /did you mean prompts\/extraction\?/],
    ['history prompts/extracton', /slotctl history prompts\/extraction$/],
    ['rollback prompts/extracton production', /did you mean prompts\/extraction\?/],
    // Slots, versions and types.
    [`tag set ${NAME} production stagign`, /slotctl tag set prompts\/extraction production staging$/],
    [`tag show ${NAME} stagign`, /slotctl tag show prompts\/extraction staging$/],
    [`tag delete ${NAME} stagign`, /did you mean staging\?/],
    [`tag show ${NAME} v1.0.1`, /did you mean v1\.0\.0\?/],
    [`explain ${NAME} prodution --key ada`, /did you mean production\?/],
    [`rollout ${NAME} production --to stagign --percent 20`, /Did you mean staging\?/],
    [`rollout ${NAME} production --to stagign --stop`, /did you mean staging\?/],
    ['status --offline --slot prodution', /slotctl status --slot production$/],
    [`history ${NAME} prodution`, /slotctl history prompts\/extraction production$/],
    [`rollback ${NAME} prodution`, /did you mean production\?/],
    [`rollback ${NAME} production --arm stagign`, /did you mean --arm staging\?/],
    ['rollback --all prodution', /did you mean --all production\?/],
    ['rollback --all production --type promts', /did you mean --type prompts\?/],
    // Remotes, environments and files.
    ['push orgin', /did you mean origin\? slotctl push origin$/],
    ['sync --env stagign', /did you mean `staging`\?/],
    [`tag create ${NAME} v2.0.0 --path prompts/extracton.md`, /did you mean --path prompts\/extraction\.md\?/],
    [`tag create ${NAME} v2.0.0 --registry regsitry.json`, /did you mean `registry\.json`\?/],
    [`explain ${NAME} production --keys kyes.txt`, /did you mean `keys\.txt`\?/],
    ['rollout plan --keys kyes.txt', /did you mean `keys\.txt`\?/],
    ['lint projet', /did you mean `project`\?/],
  ])) {
    test(`is answered with the nearest one: ${line}`, async () => {
      const { code, stderr } = await run(line)
      assert.equal(code, 1, stderr)
      assert.match(stderr.trimEnd().replace(/( --(local|config|repo) \S+)+$/, ''), hint)
    })
  }

  for (const line of ['status --only prompts/extraction --slot prodution', `history ${NAME} prodution`]) {
    test(`is answered with a command that asks the same Workers KV: ${line}`, async () => {
      const refused = await run(line)
      const [, pasted] = /slotctl ((?:status|history) .*)$/.exec(refused.stderr.trimEnd())
      const answered = await slotctl(pasted.split(' '), { env: gitEnv(), cwd: folder })
      assert.equal(answered.code, 0, answered.stderr)
      assert.match(answered.stdout, /production/)
    })
  }

  test('that makes a new component or slot is warned of, with the command that takes it back', async () => {
    const other = extractionRepo()
    other.commit({ 'prompts/extracton.md': 'Typo.\n' })
    const tag = (...args) => slotctl(['tag', ...args], { cwd: other.dir, env: gitEnv() })
    const component = await tag('create', 'prompts/extracton', 'v1.0.0')
    assert.match(
      component.stderr,
      /warning: prompts\/extracton: is a new component; prompts\/extraction exists already/,
    )
    const slot = await tag('set', NAME, 'prodution', 'v1.0.0')
    assert.match(slot.stderr, /warning: prompts\/extraction@prodution: is a new slot; the component has production/)
    for (const { stderr } of [component, slot]) {
      const [, undo] = /if you meant that one: slotctl tag (.*)/.exec(stderr)
      assert.equal((await tag(...undo.split(' '))).code, 0, undo)
    }
    const wanted = [await tag('set', NAME, 'ring-1', 'v1.0.0'), await tag('set', NAME, 'ring-2', 'v1.0.0')]
    assert.ok(
      wanted.every(({ code, stderr }) => code === 0 && !stderr.includes('warning')),
      'numbers are different on purpose',
    )
  })
})

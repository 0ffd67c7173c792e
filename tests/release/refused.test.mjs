import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { after, before, beforeEach, describe, test } from 'node:test'

import { listening } from '../cli/support/recorder.mjs'
import { binary } from '../cli/support/slotctl.mjs'
import { BUILD } from '../edge/support/edge.mjs'
import { startStage } from './support/stage.mjs'
import { mishap } from './support/wrangler.mjs'

describe('slotctl release refuses', () => {
  let stage
  let edge
  let other
  before(async () => {
    stage = await startStage()
    edge = await stage.begin()
    other = (await edge.edge.upload({ build: BUILD, tag: 'other' })).id
  })
  beforeEach(() => edge.settle())
  after(async () => {
    await edge?.stop()
    await stage?.stop()
  })

  async function refused(flags, what, options) {
    const { worker } = edge.edge
    const state = () => [worker.deployments()[0].id, worker.deployable()[0].id]
    const before = state()
    const { code, json, stderr } = await edge.run(flags, options)
    assert.deepEqual([code, json.exit], [1, 1], stderr)
    assert.match(stderr, what)
    assert.deepEqual(state(), before)
  }

  test('to change or abort a split that somebody else made', async () => {
    await edge.edge.deploy(
      [
        [other, 10],
        [edge.old, 90],
      ],
      { message: 'by hand' },
    )
    const what = /edge@example\.com split the traffic \(10 % .*, 90 % .*\), and no release of slotctl did/
    for (const flags of [[], ['--resume'], ['--abort']]) await refused(flags, what)
  })

  test('while a slot is split, without --allow-split-slots', async () => {
    const key = 'prompts/extraction@production'
    const record = await stage.pair.slots.json(key)
    const [target] = record.targets
    const targets = [
      { ...target, slot: 'canary', weight: 10_000 },
      { ...target, weight: 90_000 },
    ]
    await stage.pair.slots.put(key, JSON.stringify({ ...record, targets }))
    try {
      await refused([], /prompts\/extraction@production: callers are sent to several versions/)
      const { code, stderr } = await edge.run(['--allow-split-slots', '--dry-run'])
      assert.equal(code, 0, stderr)
    } finally {
      await stage.pair.slots.put(key, JSON.stringify(record))
    }
  })

  test('while KV has records that this checkout cannot read', async () => {
    await stage.pair.slots.put('prompts/later@production', '{"format":2,"anything":[]}')
    try {
      await refused(['--allow-split-slots'], /KV holds records of format 2, this version reads up to 1/)
    } finally {
      await stage.pair.slots.delete('prompts/later@production')
    }
  })

  test('a check URL where another Worker answers, or none', async () => {
    await refused(
      ['--check-url', 'http://127.0.0.1:9', '--max-spread', '0s'],
      /--check-url: no answer: .*[Cc]onnection refused.*\n +hint: check the address and the health of this Worker/,
    )
    const elsewhere = await stage.begin()
    try {
      await refused(
        ['--check-url', elsewhere.edge.url, '--max-spread', '0s'],
        /script version ".{36}" answers, and .{36} is deployed/,
      )
    } finally {
      await elsewhere.stop()
    }
  })

  test('a check URL that redirects or is behind a proxy, and sends the token to neither', async () => {
    const other = await listening()
    const redirecting = await listening((_request, response) => response.writeHead(302, { location: other.url }).end())
    try {
      const env = { RESOLVER_TOKEN: 's3cret-token', http_proxy: other.url, all_proxy: other.url }
      await refused(
        ['--check-url', redirecting.url, '--max-spread', '0s'],
        /--check-url: \/version answers with status 302/,
        { env },
      )
      assert.equal(redirecting.seen[0].authorization, 'Bearer s3cret-token')
      assert.deepEqual(other.seen, [])
    } finally {
      await Promise.all([other.stop(), redirecting.stop()])
    }
  })

  test('to resume if nothing was started', async () => {
    await refused(
      ['--resume'],
      /it has all traffic and no release is in progress\n +hint: start one: run it without --resume/,
    )
  })

  test('a Worker that does not exist or was never deployed', async () => {
    await refused(
      ['--name', 'another'],
      /This Worker does not exist on your account.*\n +hint: the first deployment of a Worker is npx wrangler deploy --config=\S+wrangler\.toml --env=staging --name=another/,
    )
  })

  test('to replace what somebody else has deployed meanwhile', async () => {
    const { edge: cloud, message, run } = edge
    const ended = run(['--steps', '50', '--bake', '4s', '--max-spread', '2s'])
    for (const limit = Date.now() + 30_000; !message().includes(' at 50% of '); ) {
      assert.ok(Date.now() < limit, message())
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    await cloud.deploy([[other, 100]], { message: 'an emergency' })
    const { code, json, stderr } = await ended
    assert.equal(code, 1, stderr)
    assert.match(json.error.what, /somebody else deployed during the release: 100 %/)
    const [{ versions, annotations }] = cloud.worker.deployments()
    assert.deepEqual(
      [versions, annotations['workers/message']],
      [[{ version_id: other, percentage: 100 }], 'an emergency'],
    )
  })

  const skip =
    spawnSync('script', ['-qec', 'true', '/dev/null']).status === 0 ? false : "util-linux's script is not here"
  test('to start on a terminal without a confirmation', { skip }, async () => {
    const { worker } = edge.edge
    const asked = async (answer) => {
      const shell = ([program, ...args]) => [program, ...args].map((arg) => `'${arg}'`).join(' ')
      const child = spawn(
        'script',
        ['-qec', shell([binary(), ...edge.args(['--steps', '50', '--bake', '0s', '--pause'])]), '/dev/null'],
        {
          env: { ...process.env, ...edge.env(), TERM: 'xterm' },
          stdio: ['pipe', 'pipe', 'inherit'],
        },
      )
      let shown = ''
      child.stdout.setEncoding('utf8').on('data', (text) => {
        shown += text
        if (shown.endsWith('Continue? [y/N] ')) child.stdin.write(`${answer}\n`)
      })
      const [code] = await once(child, 'close')
      return { code, shown }
    }
    const before = worker.deployable().length
    const no = await asked('')
    assert.equal(no.code, 1, no.shown)
    assert.match(no.shown, /not confirmed; nothing was changed/)
    assert.equal(worker.deployable().length, before)
    const yes = await asked('y')
    assert.equal(yes.code, 0, yes.shown)
    assert.equal(worker.deployable().length, before + 1)
  })

  test('to end silently if it cannot roll back', async () => {
    const { code, json, stderr } = await edge.quick(mishap('fail', 3, { andAfter: true }), {
      env: { SLOTCTL_RETRIES: '1' },
    })
    assert.equal(code, 1)
    assert.match(
      json.error.what,
      /^the rollback failed \(reason for the rollback: release: wrangler versions deploy .* made to fail\): wrangler/,
    )
    assert.match(
      stderr,
      new RegExp(
        `still has traffic\\. To roll back manually:\n +npx wrangler versions deploy ${edge.old}@100% --yes --config=\\S+wrangler\\.toml --env=staging`,
      ),
    )
    const aborted = await edge.run(['--abort'])
    assert.equal(aborted.code, 0, aborted.stderr)
  })
})

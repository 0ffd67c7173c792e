import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'

import { sha256 } from '../cli/support/kv.mjs'
import { slotctl } from '../cli/support/slotctl.mjs'
import { refsFile, startStage } from './support/stage.mjs'
import { mishap } from './support/wrangler.mjs'

const WHOLE = ['new 0, old 100', 'new 1, old 99', 'new 10, old 90', 'new 50, old 50', 'new 100, old 0', 'new 100']
const QUICK = ['new 0, old 100', 'new 50, old 50', 'new 100, old 0', 'new 100']

let stage
let shared
before(async () => {
  stage = await startStage()
  shared = await stage.begin()
})
after(async () => {
  await shared?.stop()
  await stage?.stop()
})

/** A test on the shared edge, or with options on its own; `v0.1.0` has all traffic. */
const release = (name, body, options) =>
  test(name, async () => {
    const edge = options ? await stage.begin(options) : shared
    await edge.settle()
    try {
      await body(edge)
    } finally {
      if (options) await edge.stop()
    }
  })

describe('slotctl release', () => {
  release('increases the percentage in steps, and checks each one', async ({ run, ramp, latest, message, old }) => {
    const { code, json, stderr } = await run(['--bake', '0s'])
    assert.equal(code, 0, stderr)
    assert.deepEqual(ramp(), WHOLE)
    const { id, annotations } = latest()
    assert.equal(message(), `slotctl release ${id} done`)
    assert.match(annotations['workers/tag'], /^v0\.2\.0-1-g[0-9a-f]+$/)
    assert.equal(annotations['workers/message'], '--serve "it" faster: $(rm -rf /)')
    assert.deepEqual([json.outcome, json.old, json.new, json.percent, json.exit], ['released', old, id, 100, 0])
    const checks = json.events.filter(({ event }) => event === 'check')
    assert.deepEqual(
      checks.map(({ percent }) => percent),
      [0, 1, 10, 50, 100],
    )
    for (const { observed } of checks) {
      assert.deepEqual([observed.new.failed, observed.old.failed, observed.callers.failed], [0, 0, 0])
      assert.ok(observed.new.asked >= 60 && observed.answered.new + observed.answered.old >= 120)
    }
    assert.deepEqual(json.references, [
      'prompts/extraction@latest',
      'prompts/extraction@production',
      'prompts/extraction@staging',
    ])
    assert.match(
      stderr,
      /check +50 %: \d+ answers, 0 failed, \d+ of \d+ by the new version, latency × [\d.]+; 3 references the same/,
    )
    // The next release starts from the new version.
    const again = await run(['--resume'])
    assert.deepEqual([again.code, again.json.outcome, ramp()], [0, 'nothing', WHOLE])
    assert.equal((await run(['--dry-run'])).json.old, id)
  })

  release('says what Ctrl-C leaves, and how to go on and back', async ({ args, env, ramp }) => {
    const flags = args(['--steps', '50', '--bake', '10m'])
    const started = (child) => {
      let said = ''
      child.stderr.on('data', (text) => {
        said += text
        if (/^deploy +50 %.*\n/m.test(said) && !child.killed) child.kill('SIGINT')
      })
    }
    const { code, stderr } = await slotctl(flags, { env: env(), started })
    assert.equal(code, 130)
    const [, resume, abort] =
      /^interrupted: the split stays, 50 % \w+, 50 % \w+\n +hint: (.*--resume)\n +hint: (.* release --abort .*)$/m.exec(
        stderr,
      ) ?? assert.fail(stderr)
    assert.deepEqual(ramp(), QUICK.slice(0, 2))
    const pasted = (line) => promisify(execFile)('sh', ['-c', line], { env: { ...process.env, ...env() } })
    assert.match((await pasted(`${resume} --dry-run`)).stderr, /at 50 %/)
    await pasted(abort)
    assert.deepEqual(ramp().at(-1), 'old 100')
  })

  release('only prints its plan with --dry-run', async ({ run, latest, ramp, old }) => {
    const before = latest().id
    const refs = refsFile('# all of them', 'prompts/extraction@^1.0', 'prompts/extraction@v1.0.0')
    const { code, json, stderr } = await run(['--dry-run', '--steps', '5,25', '--bake', '90s', '--refs', refs])
    assert.equal(code, 0, stderr)
    assert.deepEqual([json.outcome, json.steps, json.references.length], ['planned', [5, 25, 100], 2])
    assert.match(
      stderr,
      new RegExp(
        `old +${old}\nnew +v0\\.2\\.0-1-g[0-9a-f]+, to be uploaded\nsteps +5,25,100 %, 1m 30s each, 2 references\n`,
      ),
    )
    assert.deepEqual([ramp(), latest().id], [[], before])
  })

  const token = 's3cret-token'
  const vars = { READ_TOKENS: JSON.stringify({ [sha256(token)]: ['*'] }) }
  release(
    'waits until a deployment has spread, watches as long as told, and tells nobody the token',
    async ({ run, ramp, edge }) => {
      const flags = ['--steps', '50', '--bake', '1s']
      const without = await run([...flags, '--dry-run'])
      assert.equal(without.code, 1)
      assert.match(
        without.stderr,
        /the deployed version serves none of the references\n +hint: with read tokens: RESOLVER_TOKEN/,
      )
      const { code, json, stdout, stderr } = await run(flags, { env: { RESOLVER_TOKEN: token } })
      assert.equal(code, 0, stderr)
      assert.deepEqual(ramp(), QUICK)
      for (const { percent, seconds } of json.events.filter(({ event }) => event === 'check')) {
        assert.ok(seconds >= (percent === 0 ? 0.5 : 1), `${percent} %: ${seconds} s`)
      }
      const kept = JSON.stringify([edge.worker.deployments(), edge.worker.deployable()])
      assert.ok(!`${stdout}${stderr}${kept}`.includes(token))
    },
    { spread: 1_000, vars },
  )
})

describe('a faulty version', () => {
  for (const [
    what,
    faults,
    reason,
    steps,
  ] of /** @type {[what: string, faults: object, reason: RegExp, steps: number][]} */ ([
    [
      'whose bytes differ',
      { changes: true },
      /answers: prompts\/extraction@latest: its bytes are [0-9a-f]{64}, which its ETag is not/,
      1,
    ],
    ['that says it is ill', { unhealthy: true, after: -1 }, /healthz: \/healthz of .* answers with status 503/, 1],
    [
      'that cannot read what KV holds',
      { recordFormat: 0, after: -1 },
      /format: the new version reads records up to format 0, KV holds 1/,
      1,
    ],
    [
      'that is slow',
      { slower: 25 },
      /latency: the new version takes [\d.]+ ms, the old one [\d.]+ ms: over 1\.5 times as long/,
      1,
    ],
    // The kind of requests after the 150th is random: those with an override or without may fail first.
    [
      'that fails later',
      { throws: 0.3, after: 150 },
      /errors: \d+ of \d+ answers of (the new version|either version, without an override,) failed: .*status 500/,
      3,
    ],
  ])) {
    release(`${what} is rolled back`, async ({ faulty, ramp, latest, message }) => {
      const { code, json, stderr } = await faulty(faults)
      assert.equal(code, 1, stderr)
      assert.deepEqual(ramp(), [...WHOLE.slice(0, steps), 'old 100'])
      assert.match(json.reason, reason)
      assert.deepEqual([json.outcome, json.percent, json.exit, json.new], ['back', 0, 1, latest().id])
      assert.match(stderr, /wrong: .*\n(.*\n)*back +100 % .*\nThe release was rolled back\./)
      assert.equal(message(), `slotctl release ${latest().id} back: ${json.reason}`)
    })
  }

  release('that fails only for callers is rolled back, and cannot be resumed', async ({ faulty, ramp, run }) => {
    const { code, json, stderr } = await faulty({ throws: 1, sparesOverrides: true }, ['--steps', '25'])
    assert.equal(code, 1, stderr)
    assert.match(json.reason, /errors: \d+ of \d+ answers of either version, without an override, failed/)
    assert.deepEqual(ramp(), ['new 0, old 100', 'new 25, old 75', 'old 100'])
    const resumed = await run(['--resume'])
    assert.equal(resumed.code, 1)
    assert.match(
      resumed.stderr,
      /its release was rolled back \(errors: .*\n? +hint: start a new one: run it without --resume/,
    )
  })
})

describe('an interrupted run', () => {
  // After the upload, and after 50 %; the tests of `progress.rs` cover the other calls.
  for (const nth of [1, 3]) {
    release(`at call ${nth} is resumed`, async ({ quick, run, ramp, latest }) => {
      const killed = await quick(mishap('kill', nth))
      const { id } = latest()
      assert.deepEqual([killed.code, ramp()], [null, QUICK.slice(0, nth - 1)])
      const { code, json, stderr } = await run(['--resume', ...(nth === 1 ? ['--steps', '50', '--bake', '0s'] : [])])
      assert.equal(code, 0, stderr)
      assert.deepEqual(ramp(), QUICK)
      assert.deepEqual([json.outcome, json.new, latest().id], ['released', id, id])
    })
  }

  release('is rolled back with --abort', async ({ quick, run, ramp, message, latest }) => {
    await quick(mishap('kill', 3))
    const dry = await run(['--abort', '--dry-run'])
    assert.deepEqual([dry.json.outcome, ramp().length], ['planned', 2])
    const { code, json, stderr } = await run(['--abort'])
    assert.equal(code, 0, stderr)
    assert.deepEqual([json.outcome, ramp()], ['aborted', [...QUICK.slice(0, 2), 'old 100']])
    assert.equal(message(), `slotctl release ${latest().id} back: aborted`)
    const again = await run(['--abort'])
    assert.deepEqual([again.code, again.json.outcome, ramp().length], [0, 'nothing', 3])
    assert.match(again.stderr, /no release is in progress/)
  })

  release('by a failing wrangler is rolled back', async ({ quick, ramp }) => {
    const { code, json, stderr } = await quick(mishap('fail', 3))
    assert.equal(code, 1, stderr)
    assert.match(json.reason, /^release: wrangler versions deploy .* ended with code 1: made to fail$/)
    assert.deepEqual(ramp(), ['new 0, old 100', 'old 100'])
  })

  release('by a wrangler whose failed call took effect continues', async ({ quick, ramp }) => {
    const { code, stderr } = await quick(mishap('lose', 3))
    assert.equal(code, 0, stderr)
    assert.deepEqual(ramp(), QUICK)
  })

  release('by an unreachable API recognises its own deployment later', async ({ quick, ramp }) => {
    const { code, json, stderr } = await quick(mishap('vanish', 3))
    assert.equal(code, 1, stderr)
    assert.match(json.reason, /^release: wrangler deployments status ended with code 1: gone$/)
    assert.deepEqual(ramp(), [...QUICK.slice(0, 2), 'old 100'])
  })
})

describe('a paused release', () => {
  release('is resumed where it is', async ({ run, ramp, old, latest }) => {
    const steps = ['--steps', '20', '--bake', '0s']
    const paused = await run(['--pause', ...steps])
    assert.deepEqual([paused.code, paused.json.outcome, paused.json.percent], [0, 'paused', 0], paused.stderr)
    const started = await run([])
    assert.equal(started.code, 1)
    assert.match(
      started.stderr,
      new RegExp(`${latest().id}: its release is in progress, at 0 %\n +hint: run it with --resume`),
    )
    for (let time = 0; time < 2; time += 1) {
      const { code, json, stderr } = await run(['--resume', '--pause', '20'])
      assert.deepEqual([code, json.outcome, json.percent, json.old], [0, 'paused', 20, old], stderr)
      assert.deepEqual(ramp(), ['new 0, old 100', 'new 20, old 80'])
    }
    const { code, json, stderr } = await run(['--resume'])
    assert.deepEqual([code, json.outcome], [0, 'released'], stderr)
    assert.deepEqual(ramp(), ['new 0, old 100', 'new 20, old 80', 'new 100, old 0', 'new 100'])
  })
})

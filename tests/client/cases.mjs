// The cases of tests/vectors/client, which every client has to pass.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'

import { startScripted } from './scripted.mjs'

const FOLDER = new URL('../vectors/client/', import.meta.url)

/**
 * The value that a client returned or the error that it raised, with the names of client/index.d.ts. `refused` is the text of an
 * error of `create`.
 *
 * @typedef {{ component?: object, snapshot?: object, error?: object, refused?: string }} Outcome
 */

/**
 * A client under test. Times are in milliseconds.
 *
 * @typedef {object} Player
 * @property {(url: string, options: object) => Promise<Outcome>} create Replaces the client of the case before.
 * @property {(step: object) => Promise<Outcome>} call
 */

const QUICK = { backoff: 1 }

/**
 * Checks that `actual` has the members of `expected`; null is for a member that is absent. A list has
 * these elements and no others.
 */
function assertHas(actual, expected, where) {
  if (expected === null) return assert.equal(actual ?? null, null, where)
  if (typeof expected !== 'object') return assert.equal(actual, expected, where)
  if (Array.isArray(expected)) assert.equal(actual?.length, expected.length, `${where}: the number of elements`)
  assert.equal(typeof actual, 'object', where)
  for (const [name, value] of Object.entries(expected)) assertHas(actual?.[name], value, `${where}.${name}`)
}

/** Checks an outcome; the message of an error is given by a part of it. */
function assertOutcome(outcome, { message, ...expected }, where) {
  assertHas(outcome, { component: null, snapshot: null, error: null, ...expected }, where)
  const said = outcome.error?.message
  if (message) assert.ok(said?.includes(message), `${where}: the error says ${JSON.stringify(said)}`)
}

async function playStep(resolver, player, answers, { answers: script = [], gives, requests, atLeast = 0, ...step }) {
  resolver.next = script.map((answer) => answers[answer] ?? answer)
  resolver.seen = []
  const started = performance.now()
  const outcome = await player.call(step)
  assertOutcome(outcome, gives, 'outcome')
  assert.ok(performance.now() - started >= atLeast, `it took less than ${atLeast} ms`)
  if (typeof requests === 'number') assert.equal(resolver.seen.length, requests, 'the number of requests')
  else assertHas(resolver.seen, requests, 'requests')
}

async function playCase(resolver, player, answers, { url, path = '', client = {}, refused, steps = [] }) {
  const outcome = await player.create(url ?? `${resolver.url}${path}`, { ...QUICK, ...client })
  if (refused) assert.ok(outcome.refused?.includes(refused), `refused: ${JSON.stringify(outcome)}`)
  else assert.deepEqual(outcome, {})
  for (const step of steps) await playStep(resolver, player, answers, step)
}

/** Declares a test for each case. @param {() => Player} player */
export function testCases(player) {
  let resolver
  before(async () => {
    resolver = await startScripted()
  })
  after(() => resolver?.stop())
  for (const file of readdirSync(FOLDER)) {
    const { answers, cases } = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8'))
    describe(file, () => {
      for (const one of cases) test(one.name, () => playCase(resolver, player(), answers, one))
    })
  }
}

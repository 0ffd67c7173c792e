// Ranges have the same meaning as in npm's own package.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import semver from 'semver'

import { mulberry32 } from '../support/mulberry32.mjs'

const root = new URL('../../', import.meta.url)

/** Asks our code, in one process for all questions. */
function ask(questions) {
  const input = `${questions.map((question) => JSON.stringify(question)).join('\n')}\n`
  const args = ['run', '--quiet', '-p', 'catalog', '--example', 'satisfy']
  const run = spawnSync('cargo', args, { cwd: root, input, encoding: 'utf8', maxBuffer: 1 << 28 })
  assert.equal(run.status, 0, run.stderr)
  return run.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}

function npm([range, versions]) {
  if (semver.validRange(range) === null) return null
  return versions.filter((version) => semver.satisfies(version, range))
}

function compare(questions) {
  const ours = ask(questions)
  assert.equal(ours.length, questions.length)
  questions.forEach((question, at) => {
    assert.deepEqual(ours[at], npm(question), JSON.stringify(question[0]))
  })
}

/** Questions that are the same in every run. */
function generator(seed) {
  const whole = mulberry32(seed)
  const next = () => whole() / 2 ** 32
  const pick = (list) => list[Math.floor(next() * list.length)]
  const often = (share) => next() < share
  const number = () => pick(['0', '0', '1', '1', '2', '3', '10'])
  const pre = () => pick(['0', 'alpha', 'beta.2', 'rc.1', 'rc.10', 'a-b.0'])
  const version = () =>
    [number(), number(), number()].join('.') + (often(0.3) ? `-${pre()}` : '') + (often(0.05) ? '+b.1' : '')
  const part = () => (often(0.15) ? pick(['x', 'X', '*']) : number())
  const odd = () => pick(['01', '', '1.2.3.4', '9007199254740991', '9007199254740992', 'v', 'a', '-1', '1.2-rc'])
  const partial = () => {
    if (often(0.02)) return odd()
    const parts = [part(), part(), part()].slice(0, pick([1, 2, 3, 3, 3]))
    const tail = parts.length === 3 && often(0.3) ? `-${pre()}` : ''
    return pick(['', '', '', '', 'v', '=', 'vv']) + parts.join('.') + tail + (often(0.05) ? '+b.7' : '')
  }
  const operator = () => pick(['', '', '^', '^', '~', '~', '~>', '>', '>=', '<', '<=', '=', '>=', '<', '==', '<>'])
  const comparator = () => operator() + pick(['', '', '', ' ']) + partial()
  const alternative = () => {
    if (often(0.15)) return `${partial()} - ${partial()}`
    if (often(0.03)) return ''
    return Array.from({ length: pick([1, 1, 1, 2, 2, 3]) }, comparator).join(pick([' ', '  ']))
  }
  const range = () => Array.from({ length: pick([1, 1, 1, 1, 2, 3]) }, alternative).join(pick(['||', ' || ', ' ||']))
  const versions = () => Array.from({ length: 12 }, version)
  return () => [range(), versions()]
}

test('20,000 generated ranges, each against 12 versions', () => {
  const next = generator(20261120)
  const questions = Array.from({ length: 20_000 }, next)
  const valid = questions.filter(([range]) => semver.validRange(range) !== null)
  assert.ok(valid.length > 10_000, `${valid.length} of the generated ranges are ranges`)
  assert.ok(questions.length - valid.length > 500, 'some are none')
  compare(questions)
})

test("every range in the package's own documentation", () => {
  const path = createRequire(import.meta.url).resolve('semver/README.md')
  const readme = readFileSync(path, 'utf8')
  const code = [...readme.matchAll(/`([^`\n]+)`/g)].map(([, text]) => text)
  const ranges = [...new Set(code)].filter((text) => semver.validRange(text) !== null)
  assert.ok(ranges.length > 60, `${ranges.length} ranges documented`)
  const numbers = ['0', '1', '2', '3', '4']
  const grid = numbers.flatMap((a) => numbers.flatMap((b) => numbers.map((c) => `${a}.${b}.${c}`)))
  const pres = [
    '1.2.3-alpha.3',
    '1.2.3-beta.2',
    '1.2.3-beta.4',
    '1.2.4-beta.2',
    '0.0.3-beta',
    '3.4.5-alpha.9',
    '2.0.0-0',
  ]
  compare(ranges.map((range) => [range, [...grid, ...pres]]))
})

test('the highest version wins', () => {
  const next = generator(7)
  const questions = Array.from({ length: 2_000 }, next).filter(([range]) => semver.validRange(range) !== null)
  ask(questions).forEach((inside, at) => {
    const [range, versions] = /** @type {[string, string[]]} */ (questions[at])
    const best = inside.sort(semver.compare).at(-1) ?? null
    const expected = semver.maxSatisfying(versions, range)
    assert.equal(best && semver.compare(best, expected), expected && 0, range)
  })
})

import { readFileSync } from 'node:fs'

import { inRoot } from '../../../scripts/lib/paths.mjs'

/**
 * Parses a page of docs/ into steps. A heading of the second level starts a step. In a step,
 * a `toml` block is the new rollouts.toml, an `sh` block has commands, and the rows of tables are what
 * callers get. A step that names `--allow-policy-removal` is synced with it. A step that says
 * "exits with 1" is synced with that exit code.
 */
export function readPage(name) {
  const text = readFileSync(inRoot('docs', `${name}.md`), 'utf8')
  const [, ...parts] = text.split(/^## /m)
  return parts.map(readStep).filter(({ commands, rows }) => commands || rows.length > 0)
}

function readStep(part) {
  const title = part.slice(0, part.indexOf('\n'))
  const flags = ['--allow-policy-removal'].filter((flag) => part.includes(flag))
  const exit = /\bexits with 1\b/.test(part) ? 1 : 0
  return { title, policy: block(part, 'toml'), commands: block(part, 'sh'), flags, exit, rows: rows(part) }
}

function block(part, language) {
  const blocks = [...part.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'gms'))]
  return blocks.map(([, text]) => text).join('') || undefined
}

/** The rows of tables without the heads. */
function rows(part) {
  const lines = part.split('\n').filter((line) => line.startsWith('|'))
  const cells = lines.map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  )
  const isRule = ([first]) => /^-+$/.test(first)
  return cells.filter((row, at) => !isRule(row) && !(cells[at + 1] && isRule(cells[at + 1]))).map(readRow)
}

/** Parses `curl …` and its version, or `500 keys of …` and the shares. */
function readRow([asked, got]) {
  const keys = /^(\d+) keys of `@([\w-]+)`$/.exec(asked)
  if (keys) return { keys: Number(keys[1]), slot: keys[2], shares: readShares(got) }
  const [, path] = /^`curl "?\$RESOLVER(\/[^\s`"]+)/.exec(asked) ?? []
  const [, version, slot, assignment] = /^(v[\d.]+|\d{3}) \(([\w-]+)(?:, (\w+))?\)$/.exec(got) ?? []
  if (!path || !version) throw new Error(`a row that nobody can read: ${asked} | ${got}`)
  const headers = Object.fromEntries(
    [...asked.matchAll(/-H '([^:']+): ([^']+)'/g)].map(([, key, value]) => [key, value]),
  )
  return { asked, path, headers, version, slot, assignment }
}

/** The percentage of each version, and its slot if the table names it. */
function readShares(text) {
  const shares = text.matchAll(/([\d.]+) % (v[\d.]+)(?: \(([\w-]+)\))?/g)
  return Object.fromEntries(
    [...shares].map(([, percent, version, slot]) => [version, { percent: Number(percent), slot }]),
  )
}

import { readFileSync } from 'node:fs'

import { inRoot } from '../../../scripts/lib/paths.mjs'

export const PAGE = readFileSync(inRoot('docs', 'observability.md'), 'utf8')

const FENCED =
  /^<!-- (?<kind>query|logpush): (?<name>[\w -]+) -->\n```(?<language>\w+)\n(?<text>.*?)^```\n(?:\n(?<table>(?:\|[^\n]*\n)+))?/gms

/** The queries of docs/observability.md by tool and name, each with the table that follows it. */
export function queries(by) {
  const found = blocks('query').filter(({ name }) => name.startsWith(`${by} `))
  return found.map(({ name, ...rest }) => ({ name: name.slice(by.length + 1), ...rest }))
}

export function blocks(kind) {
  return [...PAGE.matchAll(FENCED)]
    .filter(({ groups }) => groups.kind === kind)
    .map(({ groups }) => ({
      name: groups.name,
      text: groups.text,
      table: groups.table && readTable(groups.table),
    }))
}

/** The rows of a Markdown table as objects of strings. */
function readTable(text) {
  const [names, , ...rows] = text
    .trimEnd()
    .split('\n')
    .map((line) =>
      line
        .slice(2, -2)
        .split(' | ')
        .map((cell) => cell.trim()),
    )
  return rows.map((cells) => Object.fromEntries(names.map((name, at) => [name, cells[at]])))
}

/** The rows of a result in the form of a Markdown table. */
export const written = (rows) =>
  rows.map((row) =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [name, value === null ? '' : String(value)])),
  )

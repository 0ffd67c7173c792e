import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus, loadavg, totalmem } from 'node:os'

import { inRoot } from '../../scripts/lib/paths.mjs'

const PAGE = inRoot('docs', 'performance.md')
const SECTION = '## The Worker\n'

/** The machine, its load over the last five minutes, and the date of a measurement. */
export function circumstances() {
  const workerd = createRequire(import.meta.url)('workerd/package.json').version
  const memory = Math.round(totalmem() / 2 ** 30)
  const today = new Date().toISOString().slice(0, 10)
  const load = loadavg()[1].toFixed(1)
  return `${cpus()[0].model}, ${cpus().length} cores, ${memory} GiB, load average ${load}, workerd ${workerd}, ${today}`
}

/** A Markdown table. */
export function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

const titleOf = (part) => part.slice('### '.length, part.indexOf('\n'))

/**
 * The page with new parts of the section on the Worker. `texts` has the text of each new part by its title.
 * Other parts, the introduction and other sections stay as they are. `titles` is the order of the parts.
 */
export function withParts(page, texts, titles) {
  const [head, ...sections] = page.split(/^(?=## )/m)
  const [introduction = SECTION, ...parts] =
    sections.find((section) => section.startsWith(SECTION))?.split(/^(?=### )/m) ?? []
  const known = Object.fromEntries(parts.map((part) => [titleOf(part), part.trim()]))
  for (const [title, text] of Object.entries(texts)) known[title] = `### ${title}\n\n${text.trim()}`
  const ordered = titles.filter((title) => title in known).map((title) => known[title])
  const section = [introduction.trim(), ...ordered].join('\n\n')
  const others = sections.filter((other) => !other.startsWith(SECTION))
  return `${[head, section, ...others].map((part) => part.trim()).join('\n\n')}\n`
}

/** Writes parts of the section on the Worker to docs/performance.md. */
export function writeParts(texts, titles) {
  writeFileSync(PAGE, withParts(readFileSync(PAGE, 'utf8'), texts, titles))
}

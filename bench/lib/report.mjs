import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus, totalmem } from 'node:os'

import { inRoot } from '../../scripts/lib/paths.mjs'

const PAGE = inRoot('docs', 'performance.md')
const HEAD =
  '# Performance\n\nThis page lists what the Worker and `slotctl` cost. Each section names the command that measures it.\n'

/** The machine and the date of a measurement. */
export function circumstances() {
  const workerd = createRequire(import.meta.url)('workerd/package.json').version
  const memory = Math.round(totalmem() / 2 ** 30)
  const today = new Date().toISOString().slice(0, 10)
  return `${cpus()[0].model}, ${cpus().length} cores, ${memory} GiB, workerd ${workerd}, ${today}`
}

/** A Markdown table. */
export function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** Replaces the section of this title in docs/performance.md. */
export function writeSection(title, text) {
  const page = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : HEAD
  const [head, ...sections] = page.split(/^(?=## )/m)
  const others = sections.filter((section) => !section.startsWith(`## ${title}\n`))
  const own = `## ${title}\n\n${text.trim()}\n`
  const all = [own, ...others].toSorted(
    (a, b) => Number(b.startsWith('## The Worker')) - Number(a.startsWith('## The Worker')),
  )
  writeFileSync(PAGE, `${[head.trimEnd(), ...all.map((section) => section.trim())].join('\n\n')}\n`)
}

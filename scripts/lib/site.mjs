import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { announced } from './build.mjs'
import { inRoot } from './paths.mjs'
import { run } from './run.mjs'

/** Not in build/, all of which is uploaded. */
const BOOK = inRoot('target', 'site')

/** The pages, at the same places relative to each other as in the repository. */
const SOURCE = path.join(BOOK, 'src')

/** The built site. */
export const SITE = path.join(BOOK, 'html')

const SUMMARY = 'docs/SUMMARY.md'

/** Lists of pages that each have all pages of their folder below them. */
const WITH_ALL_BELOW = ['docs/cli/README.md', 'docs/decisions/README.md']

/** A link of Markdown to a file of the repository: not to an address, not within the page. */
const LINK = /\[([^\]]*)\]\((?!https?:|mailto:|#)([^)#\s]+)(#[^)\s]*)?\)/g

/** @param {string} file relative to the root */
const read = (file) => readFileSync(inRoot(file), 'utf8')

/** @param {string} file @returns {string} */
const titleOf = (file) => /^# (.*)$/m.exec(read(file))?.[1] ?? file

/** The first sentence of a page. @param {string} file */
function firstSentence(file) {
  const text = read(file).split('\n').slice(1).join('\n').trim().split('\n\n')[0].replaceAll('\n', ' ')
  const plain = text.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
  return /^.*?[.:](?= |$)/.exec(plain)?.[0] ?? plain
}

/** The pages of the summary, in its order. @param {string} summary */
const pagesOf = (summary) => Array.from(summary.matchAll(LINK), ([, , target]) => target)

/** The summary of mdBook: that of docs/ with all pages of some folders. */
function summary() {
  const text = read(SUMMARY).replace(LINK, (_, name, target) => `[${name}](${path.posix.join('docs', target)})`)
  return text.replace(/^(\s*)- \[[^\]]*\]\(([^)]+)\)$/gm, (line, indent, page) =>
    WITH_ALL_BELOW.includes(page) ? [line, ...below(page, indent)].join('\n') : line,
  )
}

/** @param {string} list @param {string} indent */
function below(list, indent) {
  const folder = path.posix.dirname(list)
  const names = readdirSync(inRoot(folder)).filter((name) => name.endsWith('.md') && name !== 'README.md')
  return names.sort().map((name) => `${indent}  - [${titleOf(`${folder}/${name}`)}](${folder}/${name})`)
}

/**
 * Copies a page, and notes the files that it links to.
 *
 * @param {string} page @param {Set<string>} pages @param {Set<string>} files
 */
function stagePage(page, pages, files) {
  const text = read(page).replace(LINK, (link, name, target, anchor = '') => {
    const found = path.posix.join(path.posix.dirname(page), target)
    const readme = [found, path.posix.join(found, 'README.md')].find((file) => isReadme(file) && pages.has(file))
    // mdBook calls the page of a README.md index.html.
    if (readme)
      return `[${name}](${path.posix.relative(path.posix.dirname(page), readme).replace(/README\.md$/, 'index.md')}${anchor})`
    if (pages.has(found) || !existsSync(inRoot(found))) return link
    if (!statSync(inRoot(found)).isFile()) return name
    files.add(found)
    return link
  })
  write(page, text)
}

/** @param {string} file */
const isReadme = (file) => path.posix.basename(file) === 'README.md'

/** @param {string} file @param {string} text */
function write(file, text) {
  const target = path.join(SOURCE, file)
  mkdirSync(path.dirname(target), { recursive: true })
  writeFileSync(target, text)
}

/** A list of the pages for language models (llmstxt.org). @param {string[]} pages */
function llms(pages) {
  const rows = pages.map((page) => `- [${titleOf(page)}](/${page}): ${firstSentence(page)}`)
  return `# component-resolver\n\n> ${firstSentence('README.md')}\n\n## Pages\n\n${rows.join('\n')}\n`
}

/** Compiles mdBook, in the version that this repository locks. @returns {Promise<string>} the executable */
export async function buildMdBook() {
  const folder = inRoot('tools', 'mdbook')
  const target = inRoot('target', 'tools')
  const args = ['build', '--quiet', '--locked', '--manifest-path', path.join(folder, 'Cargo.toml')]
  const env = { CARGO_TARGET_DIR: target, CARGO_PROFILE_DEV_DEBUG: '0' }
  await announced('Compiling mdBook', run('cargo', args, { env, name: 'cargo build of mdBook' }))
  return path.join(target, 'debug', process.platform === 'win32' ? 'mdbook-tool.exe' : 'mdbook-tool')
}

/** Builds the documentation site. */
export async function buildSite() {
  const tool = await buildMdBook()
  rmSync(BOOK, { recursive: true, force: true })
  const text = summary()
  const pages = pagesOf(text)
  const files = new Set()
  for (const page of pages) stagePage(page, new Set(pages), files)
  write('SUMMARY.md', text)
  cpSync(inRoot('docs', 'book.toml'), path.join(BOOK, 'book.toml'))
  await run(tool, [BOOK], { name: 'mdBook' })
  // The Markdown of each page is beside it, for people and programs that prefer it.
  for (const page of pages) cpSync(path.join(SOURCE, page), path.join(SITE, page))
  for (const file of files) cpSync(inRoot(file), path.join(SITE, file), { recursive: true })
  writeFileSync(path.join(SITE, 'llms.txt'), llms(pages))
  return pages
}

// The built documentation site: every link leads somewhere, and the search index has the words of the pages.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { before, describe, it } from 'node:test'

import { buildSite, SITE } from '../../scripts/lib/site.mjs'

/** mdBook makes these itself: all pages as one, and the page for a wrong address. */
const OWN = ['print.html', '404.html', 'toc.html']

const ids = new Map()

/** The anchors of a page. */
function anchorsOf(file) {
  if (!ids.has(file))
    ids.set(file, new Set(Array.from(readFileSync(file, 'utf8').matchAll(/ id="([^"]*)"/g), ([, id]) => id)))
  return ids.get(file)
}

const htmlFiles = () =>
  readdirSync(SITE, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.html') && !OWN.includes(name),
  )

/** The links of a page to files of the site; undefined for addresses elsewhere. */
function linksOf(name) {
  const html = readFileSync(path.join(SITE, name), 'utf8')
  const links = Array.from(html.matchAll(/ (?:href|src)="([^"]*)"/g), ([, link]) => link.replaceAll('&amp;', '&'))
  return links.filter((link) => !/^(?:[a-z]+:|\/\/|$)/.test(link))
}

/** Why a link of a page leads nowhere; undefined if it does not. */
function wrong(name, link) {
  const [target, anchor] = decodeURIComponent(link).split('#')
  const file = target ? path.join(SITE, path.dirname(name), target) : path.join(SITE, name)
  const found = existsSync(file) && statSync(file).isDirectory() ? path.join(file, 'index.html') : file
  if (!existsSync(found)) return `${name}: ${link}`
  if (anchor && found.endsWith('.html') && !anchorsOf(found).has(anchor)) return `${name}: ${link} (no such heading)`
  return undefined
}

describe('the documentation site', () => {
  let pages
  before(async () => {
    pages = await buildSite()
  })

  it('has every page of docs/', () => {
    const all = readdirSync('docs', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md'))
    const missing = all.map((name) => path.posix.join('docs', name)).filter((name) => !pages.includes(name))
    assert.deepEqual(missing, ['docs/SUMMARY.md'])
  })

  it('has no link that leads nowhere', () => {
    const names = htmlFiles()
    assert.ok(names.length > pages.length / 2)
    assert.deepEqual(names.flatMap((name) => linksOf(name).map((link) => wrong(name, link))).filter(Boolean), [])
  })

  it('has the Markdown of each page, and a list of them for language models', () => {
    const list = readFileSync(path.join(SITE, 'llms.txt'), 'utf8')
    for (const page of pages) {
      assert.ok(existsSync(path.join(SITE, page)), page)
      assert.ok(list.includes(`](/${page}): `), page)
    }
  })

  it('has the words of the pages in the search index', () => {
    const index = readdirSync(SITE, { recursive: true, encoding: 'utf8' }).find((name) =>
      /searchindex.*\.js$/.test(name),
    )
    assert.match(readFileSync(path.join(SITE, index), 'utf8'), /on-revoked/)
  })

  it('asks no other host', () => {
    for (const name of htmlFiles()) {
      const html = readFileSync(path.join(SITE, name), 'utf8')
      assert.doesNotMatch(html, /<(?:script|link|img|iframe)[^>]* (?:src|href)="(?:https?:)?\/\//, name)
    }
  })
})

// Templates are untrusted HTML: a real browser must not run anything in them.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import http from 'node:http'
import { after, before, describe, test } from 'node:test'
import { listen } from '../../tools/listen.mjs'
import { dumpDom, findChromium } from './browser.mjs'
import { put, serveVectors } from './vectors.mjs'

const chromium = findChromium()
const missing = chromium ? false : 'Chromium is not installed (apt-get install chromium, or CHROMIUM=<path>)'
const skip = process.env.CI ? false : missing

const PATH = '/components/templates/emails/welcome@production'

/** Every way to run a script or fetch something without a click. */
const template = (beacon) => `<!doctype html>
<title>welcome</title>
<p id="mark">untouched</p>
<img src="${beacon}/image" onerror="document.getElementById('mark').textContent = 'ran: handler'">
<svg onload="document.getElementById('mark').textContent = 'ran: svg'"></svg>
<link rel="stylesheet" href="${beacon}/style">
<iframe src="${beacon}/frame"></iframe>
<script src="${beacon}/script"></script>
<script>document.getElementById('mark').textContent = 'ran: script'; document.title = 'ran'</script>
`

/** Starts a server that serves the template as HTML without further headers, and records requests. */
async function control() {
  const asked = []
  const server = http.createServer(({ url }, response) => {
    asked.push(url)
    response.writeHead(url === '/page' ? 200 : 404, { 'content-type': 'text/html' })
    response.end(url === '/page' ? template(origin) : '')
  })
  const origin = `http://127.0.0.1:${await listen(server, 0)}`
  return { asked, origin, stop: () => new Promise((resolve) => server.close(resolve).closeAllConnections()) }
}

/** Stores the template as the content of the slot. */
function store(worker, script, html) {
  const digest = createHash('sha256').update(html).digest('hex')
  const slot = structuredClone(script.kv.SLOTS['templates/emails/welcome@production'])
  Object.assign(slot.targets[0], { digest, size: Buffer.byteLength(html) })
  put(worker.kv, {
    SLOTS: { 'templates/emails/welcome@production': slot },
    COMPONENTS: { [`sha256/${digest}`]: html },
  })
}

describe('a template in a browser', { skip, timeout: 120_000 }, () => {
  let beacon
  let worker
  before(async () => {
    assert.equal(missing, false, `${missing}, which CI needs`)
    beacon = await control()
    const served = await serveVectors('answers.json')
    worker = served.worker
    store(worker, served.script, template(beacon.origin))
  })
  after(async () => {
    await worker?.stop()
    await beacon?.stop()
  })

  test("runs without the resolver's headers, which proves that this test works", async () => {
    const dom = await dumpDom(chromium, `${beacon.origin}/page`)
    assert.match(dom, /<p id="mark">ran: /)
    assert.match(dom, /<title>ran<\/title>/)
    for (const path of ['/image', '/style', '/frame', '/script']) assert.ok(beacon.asked.includes(path), path)
  })

  test('runs no script and fetches nothing if the resolver serves it', async () => {
    beacon.asked.length = 0
    assert.match((await worker.fetch(PATH)).headers['content-type'], /^text\/html/)
    const dom = await dumpDom(chromium, `${worker.url}${PATH}`)
    assert.match(dom, /<p id="mark">untouched<\/p>/)
    assert.match(dom, /<title>welcome<\/title>/)
    assert.deepEqual(beacon.asked, [])
  })
})

// Builds the documentation site, and serves it.
import './lib/check-node.mjs'
import { createReadStream, existsSync, statSync } from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { close, listen } from '../tools/listen.mjs'
import { parseOptions, parsePort } from './lib/args.mjs'
import { log, main } from './lib/cli.mjs'
import { refuseBusyPort } from './lib/dev-server.mjs'
import { ROOT } from './lib/paths.mjs'
import { checkRust } from './lib/rust.mjs'
import { buildSite, SITE } from './lib/site.mjs'
import { untilStopped } from './lib/stop-signal.mjs'

/** @satisfies {import('./lib/args.mjs').Command} */
const COMMAND = {
  usage: 'npm run docs -- [--port 8000] [--build]',
  about: 'Build the documentation site, and serve it on this machine',
  options: {
    port: { type: 'string', default: '8000', help: 'The port of the site; 0 is any free port' },
    build: { type: 'boolean', help: 'Only build it' },
  },
}

/** @type {Record<string, string>} */
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.md': 'text/markdown; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
}

/** The file of a request; undefined if there is none in the site. @param {string} url */
function fileOf(url) {
  try {
    const { pathname } = new URL(url, 'http://localhost')
    const file = path.join(SITE, decodeURIComponent(pathname.endsWith('/') ? `${pathname}index.html` : pathname))
    const isInside = !path.relative(SITE, file).startsWith('..')
    return isInside && existsSync(file) && statSync(file).isFile() ? file : undefined
  } catch {
    return undefined // no path, or one that is not encoded as UTF-8
  }
}

/** @param {http.IncomingMessage} request @param {http.ServerResponse} response */
function answer(request, response) {
  const file = fileOf(request.url ?? '/')
  if (!file) return response.writeHead(404).end('There is no such page.\n')
  response.writeHead(200, { 'content-type': TYPES[path.extname(file)] ?? 'application/octet-stream' })
  return createReadStream(file).pipe(response)
}

await main(async () => {
  const options = parseOptions(COMMAND)
  const port = parsePort(options.port)
  checkRust()
  const pages = await buildSite()
  log(`${pages.length} pages are in ${path.relative(ROOT, SITE)}/.`)
  if (options.build) return 0
  await refuseBusyPort(port)
  const server = http.createServer(answer)
  log(`The site is at http://127.0.0.1:${await listen(server, port)}. Ctrl-C stops it.`)
  const ended = new Promise((resolve) => server.once('close', resolve))
  return untilStopped({ name: 'the server', ended, stop: () => close(server) })
})

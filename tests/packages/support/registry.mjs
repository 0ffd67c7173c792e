// A registry of npm that has only the packages that this project made, and those that it has installed
// itself, in the installed version.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import http from 'node:http'

import { inRoot } from '../../../scripts/lib/paths.mjs'
import { listen } from '../../../tools/listen.mjs'

/** Reads package.json from a packed package. */
async function manifestIn(tarball) {
  const text = await output('tar', ['-xzOf', tarball, 'package/package.json'])
  return JSON.parse(text.toString())
}

/** Renames the top folder in an archive, in the way of GNU tar or of the tar of macOS and Windows. */
const RENAMED = process.platform === 'linux' ? ['--transform', 's,^\\./,package/,'] : ['-s', ',^\\./,package/,']

/** Packs an installed package; without compression, as nothing leaves this machine. */
const packInstalled = (folder) =>
  output('tar', ['-cf', '-', ...RENAMED, '--exclude', './node_modules', '-C', folder, './'])

async function output(command, args) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise((resolve) => child.once('close', resolve))
  const chunks = await Array.fromAsync(child.stdout)
  if ((await ended) !== 0) throw new Error(`${command} ${args.join(' ')} failed`)
  return Buffer.concat(chunks)
}

/** Starts the registry with these packed packages. */
export async function startRegistry(tarballs) {
  const built = new Map()
  for (const file of tarballs) built.set((await manifestIn(file)).name, file)
  const packed = new Map()
  const server = http.createServer(async (request, response) => {
    const name = decodeURIComponent(request.url.slice(1))
    if (name.startsWith('-/file/')) return response.end(await fileOf(name.slice('-/file/'.length)))
    const manifest = await manifestOf(name)
    if (manifest) return response.end(JSON.stringify(await packument(manifest)))
    response.writeHead(404).end('{}')
  })
  const port = await listen(server, 0)

  async function manifestOf(name) {
    if (built.has(name)) return manifestIn(built.get(name))
    const file = inRoot('node_modules', name, 'package.json')
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null
  }

  async function fileOf(name) {
    if (built.has(name)) return readFileSync(built.get(name))
    if (!packed.has(name)) packed.set(name, await packInstalled(inRoot('node_modules', name)))
    return packed.get(name)
  }

  async function packument(manifest) {
    const { name, version } = manifest
    const integrity = `sha512-${createHash('sha512')
      .update(await fileOf(name))
      .digest('base64')}`
    const dist = { tarball: `http://127.0.0.1:${port}/-/file/${name}`, integrity }
    return { name, 'dist-tags': { latest: version }, versions: { [version]: { ...manifest, dist } } }
  }

  return { url: `http://127.0.0.1:${port}`, stop: () => server.close() }
}

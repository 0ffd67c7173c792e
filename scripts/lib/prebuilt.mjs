import { createHash } from 'node:crypto'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { TOOLS } from './paths.mjs'
import { capture } from './run.mjs'
import { say } from './talk.mjs'

const RELEASES = 'https://github.com/wasm-bindgen/wasm-bindgen/releases/download'
const CONNECT_MS = 5_000
const DOWNLOAD_MS = 120_000

const TRIPLES = {
  'linux-x64': 'x86_64-unknown-linux-musl',
  'linux-arm64': 'aarch64-unknown-linux-musl',
  'darwin-x64': 'x86_64-apple-darwin',
  'darwin-arm64': 'aarch64-apple-darwin',
  'win32-x64': 'x86_64-pc-windows-msvc',
}

async function download(url, milliseconds) {
  const response = await fetch(url, { signal: AbortSignal.timeout(milliseconds) })
  if (!response.ok) throw new Error(`${url} answered ${response.status}`)
  return Buffer.from(await response.arrayBuffer())
}

/** The archive, if it is what its publisher's checksum says. */
async function verifiedArchive(name, version) {
  const url = `${RELEASES}/${version}/${name}.tar.gz`
  // The checksum is small and comes first: it tells within seconds whether the
  // host can be reached at all.
  const published = (await download(`${url}.sha256sum`, CONNECT_MS)).toString().split(/\s/)[0]
  const archive = await download(url, DOWNLOAD_MS)
  const actual = createHash('sha256').update(archive).digest('hex')
  if (actual !== published) throw new Error(`${url} is ${actual}, its checksum file says ${published}`)
  return archive
}

function unpack(archive, name, binaries) {
  const scratch = mkdtempSync(path.join(tmpdir(), 'component-resolver-'))
  try {
    writeFileSync(path.join(scratch, 'archive.tar.gz'), archive)
    const unpacked = capture('tar', ['-xzf', 'archive.tar.gz'], { cwd: scratch })
    if (unpacked === null) throw new Error('tar cannot unpack it')
    mkdirSync(path.join(TOOLS, 'bin'), { recursive: true })
    for (const binary of binaries) install(path.join(scratch, name, binary), binary)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

function install(from, binary) {
  const to = path.join(TOOLS, 'bin', binary)
  copyFileSync(from, to)
  chmodSync(to, 0o755)
}

/** True when wasm-bindgen's published build is in `.tools/bin`; false, and why, when not. */
export async function fetchWasmBindgen(version, binaries) {
  const triple = TRIPLES[`${process.platform}-${process.arch}`]
  if (!triple) return false
  const name = `wasm-bindgen-${version}-${triple}`
  say(`Fetching wasm-bindgen ${version} (once, about 5 MB) ...`)
  try {
    unpack(await verifiedArchive(name, version), name, binaries)
    return true
  } catch (error) {
    say(`No prebuilt wasm-bindgen: ${error.cause?.message ?? error.message}.`)
    return false
  }
}

import { createHash } from 'node:crypto'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { log, messageOf } from './cli.mjs'
import { TOOLS } from './paths.mjs'
import { capture } from './run.mjs'

const RELEASES = 'https://github.com/wasm-bindgen/wasm-bindgen/releases/download'
const CONNECT_MS = 5_000
const DOWNLOAD_MS = 120_000

/** @type {Record<string, string>} */
const TRIPLES = {
  'linux-x64': 'x86_64-unknown-linux-musl',
  'linux-arm64': 'aarch64-unknown-linux-musl',
  'darwin-x64': 'x86_64-apple-darwin',
  'darwin-arm64': 'aarch64-apple-darwin',
  'win32-x64': 'x86_64-pc-windows-msvc',
}

/** @param {string} url @param {number} milliseconds */
async function download(url, milliseconds) {
  const response = await fetch(url, { signal: AbortSignal.timeout(milliseconds) })
  if (!response.ok) throw new Error(`${url} answered ${response.status}`)
  return Buffer.from(await response.arrayBuffer())
}

/**
 * Downloads an archive and checks it against the checksum of its publisher.
 *
 * @param {string} name @param {string} version
 */
async function verifiedArchive(name, version) {
  const url = `${RELEASES}/${version}/${name}.tar.gz`
  // The checksum comes first: it is small, and fails within seconds if the host cannot be reached.
  const published = (await download(`${url}.sha256sum`, CONNECT_MS)).toString().split(/\s/)[0]
  const archive = await download(url, DOWNLOAD_MS)
  const actual = createHash('sha256').update(archive).digest('hex')
  if (actual !== published) throw new Error(`${url} has the digest ${actual}, its checksum file says ${published}`)
  return archive
}

/** @param {Buffer} archive @param {string} name @param {string[]} binaries */
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

/** @param {string} from @param {string} binary */
function install(from, binary) {
  const to = path.join(TOOLS, 'bin', binary)
  copyFileSync(from, to)
  chmodSync(to, 0o755)
}

/**
 * Installs wasm-bindgen's released binaries into `.tools/bin`; resolves to whether that worked.
 *
 * @param {string} version @param {string[]} binaries
 */
export async function downloadWasmBindgen(version, binaries) {
  const triple = TRIPLES[`${process.platform}-${process.arch}`]
  if (!triple) return false
  const name = `wasm-bindgen-${version}-${triple}`
  log(`Downloading wasm-bindgen ${version} (once, about 5 MB) ...`)
  try {
    unpack(await verifiedArchive(name, version), name, binaries)
    return true
  } catch (error) {
    log(`The released wasm-bindgen cannot be downloaded: ${messageOf(error)}.`)
    return false
  }
}

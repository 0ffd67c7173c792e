/** The number of the section that declares memories, and the flag of a memory with a maximum. */
const MEMORY_SECTION = 5
const HAS_MAXIMUM = 1
const PAGE = 64 << 10
/** The magic number and the version. */
const HEADER = 8

/** Reads an unsigned number in LEB128; returns it with the place after it. @param {Uint8Array} bytes */
function readNumber(bytes, start) {
  const end = bytes.findIndex((byte, at) => at >= start && byte < 0x80) + 1
  const value = bytes.subarray(start, end).reduceRight((sum, byte) => sum * 0x80 + (byte & 0x7f), 0)
  return [value, end]
}

/** @param {number} value @returns {number[]} */
const written = (value) => (value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...written(value >>> 7)])

/** The place of a section, of its contents and of its end. */
function findSection(wasm, id) {
  for (let at = HEADER; at < wasm.length; ) {
    const [size, start] = readNumber(wasm, at + 1)
    if (wasm[at] === id) return { at, start, end: start + size }
    at = start + size
  }
  throw new Error(`The Wasm has no section ${id}.`)
}

/**
 * A Wasm module whose memory cannot grow beyond this number of bytes, as in an isolate of Cloudflare.
 * (WebAssembly Core, section 5.5.8: binary format of the memory section.)
 *
 * @param {Uint8Array} wasm @param {number} bytes
 */
export function withMemoryLimit(wasm, bytes) {
  const { at, start, end } = findSection(wasm, MEMORY_SECTION)
  const [count, flags] = wasm.subarray(start)
  if (count !== 1 || flags > HAS_MAXIMUM) throw new Error('The Wasm has no single memory of 32 bits.')
  const [minimum] = readNumber(wasm, start + 2)
  const section = [1, HAS_MAXIMUM, ...written(minimum), ...written(bytes / PAGE)]
  const header = [MEMORY_SECTION, ...written(section.length)]
  return Buffer.concat([wasm.subarray(0, at), Buffer.from([...header, ...section]), wasm.subarray(end)])
}

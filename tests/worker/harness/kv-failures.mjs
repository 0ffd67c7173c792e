/**
 * The failure modes of a read, besides `{ status: 500 }`: hang (no answer), garbage (200 with invalid
 * data), truncated (the connection ends in the middle of the body), stall (nothing comes after the
 * middle of the body), refuse (the connection ends before an answer).
 */
export const MODES = ['hang', 'garbage', 'truncated', 'stall', 'refuse']

const GARBAGE = Buffer.from([0x00, 0xff, 0xfe, ...Buffer.from('{"format":'), 0x80])

export function checkMode(mode) {
  if (MODES.includes(mode) || Number.isInteger(mode?.status)) return
  throw new Error(`No such failure: ${JSON.stringify(mode)}; give { status } or one of ${MODES.join(', ')}.`)
}

/** Makes `response` fail; `answer` would have been the right answer. */
export function failWith(mode, response, answer) {
  if (mode === 'hang') return
  if (mode === 'refuse') return response.destroy()
  if (mode === 'truncated') return writeHalf(response, answer, () => response.destroy())
  if (mode === 'stall') return writeHalf(response, answer)
  if (mode === 'garbage') return response.writeHead(200).end(GARBAGE)
  response.writeHead(mode.status).end(`made to fail with ${mode.status}`)
}

function writeHalf(response, { headers, body }, then) {
  response.writeHead(200, { ...headers, 'content-length': body.length + 1 })
  response.write(body.subarray(0, Math.ceil(body.length / 2)), then)
  response.flushHeaders()
}

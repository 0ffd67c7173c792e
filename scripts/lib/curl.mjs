import http from 'node:http'

const SHOWN_LINES = 8

/**
 * Sends a GET request without adding or normalising anything, as curl does.
 *
 * @param {string} url @param {string} path
 * @returns {Promise<{ response: http.IncomingMessage, body: Buffer }>}
 */
export function request(url, path) {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url)
    // As with curl, the connection could be reused, so there is no `Connection: close`.
    const agent = new http.Agent({ keepAlive: true })
    const sent = http.get({ hostname, port, path, agent }, (response) => {
      /** @type {Buffer[]} */
      const chunks = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('end', () => {
        agent.destroy()
        resolve({ response, body: Buffer.concat(chunks) })
      })
      response.on('error', reject)
    })
    sent.on('error', reject)
  })
}

/** @param {http.IncomingMessage} response */
function headerLines({ rawHeaders }) {
  const lines = []
  for (let at = 0; at < rawHeaders.length; at += 2) lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`)
  return lines
}

/** @param {Buffer} body */
function bodyLines(body) {
  const lines = body.toString().trimEnd().split('\n')
  const left = lines.length - SHOWN_LINES
  return left > 0 ? [...lines.slice(0, SHOWN_LINES), `(${left} more lines)`] : lines
}

/** A curl command and the response to it, as text. @param {string} url @param {string} path */
export async function curlWithAnswer(url, path) {
  const { response, body } = await request(url, path)
  const status = `HTTP/${response.httpVersion} ${response.statusCode} ${response.statusMessage}`
  const answer = [status, ...headerLines(response), '', ...bodyLines(body)]
  return [`$ curl -i ${url}${path}`, ...answer.map((line) => `  ${line}`)].join('\n')
}

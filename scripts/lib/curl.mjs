import http from 'node:http'

const SHOWN_LINES = 8

/** Fetches with nothing added or normalised, as curl does. */
export function request(url, path) {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url)
    // As curl's, the connection could be used again, so no `Connection: close`.
    const agent = new http.Agent({ keepAlive: true })
    const sent = http.get({ hostname, port, path, agent }, (response) => {
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

function headerLines({ rawHeaders }) {
  const lines = []
  for (let at = 0; at < rawHeaders.length; at += 2) lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`)
  return lines
}

function bodyLines(body) {
  const lines = body.toString().trimEnd().split('\n')
  const left = lines.length - SHOWN_LINES
  return left > 0 ? [...lines.slice(0, SHOWN_LINES), `(${left} more lines)`] : lines
}

/** A curl line with the answer that it gets, as text. */
export async function curlWithAnswer(url, path) {
  const { response, body } = await request(url, path)
  const status = `HTTP/${response.httpVersion} ${response.statusCode} ${response.statusMessage}`
  const answer = [status, ...headerLines(response), '', ...bodyLines(body)]
  return [`$ curl -i ${url}${path}`, ...answer.map((line) => `  ${line}`)].join('\n')
}

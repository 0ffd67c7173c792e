import http from 'node:http'

/**
 * Sends an HTTP request with exactly this path (`fetch` would normalise it). Resolves to
 * `{ status, statusText, headers, rawHeaders, body }`: the headers as an object with lower-case names
 * and as a list of pairs, the body as bytes; `text()` and `json()` parse it.
 *
 * @param {string} origin
 * @param {{ method?: string, path?: string, headers?: http.OutgoingHttpHeaders, body?: string | Uint8Array, agent?: http.Agent }} [request]
 */
export function rawRequest(origin, { method = 'GET', path = '/', headers = {}, body, agent } = {}) {
  const { hostname, port } = new URL(origin)
  return new Promise((resolve, reject) => {
    const sent = http.request({ hostname, port, method, path, headers, agent }, (response) => {
      const chunks = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => resolve(answer(response, Buffer.concat(chunks))))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

function answer(response, body) {
  const rawHeaders = []
  for (let at = 0; at < response.rawHeaders.length; at += 2) {
    rawHeaders.push([response.rawHeaders[at], response.rawHeaders[at + 1]])
  }
  return {
    status: response.statusCode,
    statusText: response.statusMessage,
    headers: response.headers,
    rawHeaders,
    body,
    text: () => body.toString(),
    json: () => JSON.parse(body.toString()),
  }
}

import { once } from 'node:events'
import { createServer } from 'node:http'

/** A server that records every request and answers it with `answer`, by default with 404. */
export async function listening(answer = (_request, response) => response.writeHead(404).end()) {
  const seen = /** @type {{ method?: string, url?: string, authorization?: string }[]} */ ([])
  const server = createServer((request, response) => {
    const { method, url, headers } = request
    seen.push({ method, url, authorization: headers.authorization })
    request.resume()
    answer(request, response)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  const stop = () => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  }
  return { url: `http://127.0.0.1:${port}`, seen, stop }
}

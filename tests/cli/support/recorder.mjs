import { createServer } from 'node:http'

import { close, listen } from '../../../tools/listen.mjs'

/** A server that records every request and answers it with `answer`, by default with 404. */
export async function listening(answer = (_request, response) => response.writeHead(404).end()) {
  const seen = /** @type {{ method?: string, url?: string, authorization?: string }[]} */ ([])
  const server = createServer((request, response) => {
    const { method, url, headers } = request
    seen.push({ method, url, authorization: headers.authorization })
    request.resume()
    answer(request, response)
  })
  const port = await listen(server, 0)
  return { url: `http://127.0.0.1:${port}`, seen, stop: () => close(server) }
}

import http from 'node:http'

const IN_FLIGHT = 8

/** Sends requests to one Worker over persistent connections, a few in parallel. */
export class Load {
  #agent = new http.Agent({ keepAlive: true, maxSockets: IN_FLIGHT })
  #number = 0

  constructor(worker) {
    this.worker = worker
  }

  async run(request, count) {
    let left = count
    const lane = async () => {
      while (left-- > 0) await this.#ask(request)
    }
    await Promise.all(Array.from({ length: IN_FLIGHT }, lane))
  }

  #ask({ method = 'GET', path, headers = {}, body, status }) {
    this.#number += 1
    const sent = typeof headers === 'function' ? headers(this.#number) : headers
    return new Promise((resolve, reject) => {
      const request = http.request(this.worker.url + path, { method, headers: sent, agent: this.#agent }, (answer) => {
        answer.resume()
        answer.on('end', () => {
          if (answer.statusCode === status) resolve(undefined)
          else reject(new Error(`${path}: ${answer.statusCode} instead of ${status}`))
        })
      })
      request.on('error', reject)
      request.end(body)
    })
  }

  close() {
    this.#agent.destroy()
  }
}

import { limiterBinding } from './harness/limiter.mjs'
import { put, serveVectors } from './vectors.mjs'

const EXAMPLE =
  /<!-- example: (?<file>\S+)(?<how>[^>]*) -->\n(?:```http\n(?<request>[^`]*)```\n)?\n```http\n(?<answer>[^`]*)```\n/g

/** The exchanges of a document: the vectors they run on, the request and the response. */
export function examplesIn(text) {
  return [...text.matchAll(EXAMPLE)].map(({ groups }) => ({
    file: groups.file,
    how: groups.how.trim(),
    request: groups.request && parseRequest(groups.request),
    answer: parseAnswer(groups.answer),
  }))
}

/** Parses the first line, the headers and the body of a message. */
function parseMessage(text) {
  const end = text.indexOf('\n\n')
  const head = end < 0 ? text.trimEnd() : text.slice(0, end)
  const [first, ...fields] = head.split('\n')
  const headers = fields.map((field) => /^([^:]+): (.*)$/.exec(field).slice(1))
  return { first, headers: Object.fromEntries(headers), body: end < 0 ? '' : text.slice(end + 2) }
}

function parseRequest(text) {
  const { first, headers, body } = parseMessage(text)
  const [method, path] = first.split(' ')
  return { method, path, headers, body: body || undefined }
}

function parseAnswer(text) {
  const { first, headers, body } = parseMessage(text)
  return { status: Number(first.split(' ')[1]), headers, body }
}

function fromCase({ method = 'GET', path, headers = {}, body }) {
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
  return { method, path, headers: { host: 'resolver.example', ...headers }, body: text }
}

const option = (how, name) => new RegExp(`${name}: (.*)$`).exec(how)?.[1]

/** Runs an example on its own Worker, with an empty memory. */
export async function runExample({ file, how, request }) {
  const { worker, script } = await serveVectors(file, how.includes('limited') ? limiterBinding(0) : {})
  try {
    const one = script.cases.find(({ name }) => name === option(how, 'case'))
    const asked = request ?? fromCase(one.request)
    put(worker.kv, one?.put)
    if (how.includes('warm')) await worker.rawRequest(asked)
    for (const namespace of option(how, 'failing')?.split(' ') ?? []) worker.kv.fail({ status: 500 }, { namespace })
    return { asked, answer: await worker.rawRequest(asked) }
  } finally {
    await worker.stop()
  }
}

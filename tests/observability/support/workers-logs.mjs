// Runs queries of the telemetry API as SQL over the events that Workers Logs would have.
import { database, quantile } from './sqlite.mjs'

const SERVICE = 'component-resolver-production'

/** Two events per request: the Worker's log line, and the invocation. */
const eventsOf = ({ script, at, log, wallMs, cpuMs }) => {
  const $workers = { scriptName: SERVICE, scriptVersion: script, eventType: 'fetch' }
  const { status } = JSON.parse(log)
  return [
    { timestamp: at, $metadata: { service: SERVICE, type: 'cf-worker' }, $workers, ...JSON.parse(log) },
    {
      timestamp: at,
      $metadata: { service: SERVICE, type: 'cf-worker-event' },
      $workers: { ...$workers, outcome: 'ok', wallTimeMs: wallMs, cpuTimeMs: cpuMs, event: { response: { status } } },
    },
  ]
}

const quoted = (text) => `'${String(text).replaceAll("'", "''")}'`
const column = (key) =>
  `(event ->> ${quoted(
    `$${key
      .split('.')
      .map((part) => `."${part}"`)
      .join('')}`,
  )})`

const COMPARISONS = { eq: '=', neq: '!=', gt: '>', gte: '>=', lt: '<', lte: '<=' }

function condition({ key, operation, type, value }) {
  if (operation === 'exists') return `${column(key)} IS NOT NULL`
  if (!(operation in COMPARISONS) || typeof value !== type)
    throw new Error(`a filter that is none: ${key} ${operation} ${value}`)
  return `${column(key)} ${COMPARISONS[operation]} ${type === 'number' ? value : quoted(value)}`
}

const CALCULATIONS = {
  count: () => 'count(*)',
  avg: (key) => `round(avg(${column(key)}), 2)`,
  max: (key) => `max(${column(key)})`,
  median: (key) => `quantile(0.5, ${column(key)}, 1)`,
  p99: (key) => `quantile(0.99, ${column(key)}, 1)`,
}

/** The members of a body that the API supports; it silently ignores misspelt ones. */
const MEMBERS = [
  'queryId',
  'view',
  'timeframe',
  'parameters',
  'datasets',
  'filters',
  'calculations',
  'groupBys',
  'orderBy',
  'limit',
]

export function workersLogs(requests) {
  const db = database()
  db.aggregate('quantile', quantile)
  db.exec('CREATE TABLE events (event)')
  const insert = db.prepare('INSERT INTO events VALUES (?)')
  for (const event of requests.flatMap(eventsOf)) insert.run(JSON.stringify(event))
  return function ask({ timeframe: { from, to }, parameters, ...body }) {
    const unknown = Object.keys({ ...body, ...parameters }).filter((member) => !MEMBERS.includes(member))
    if (unknown.length > 0 || body.view !== 'calculations') throw new Error(`no such query: ${unknown} ${body.view}`)
    const { filters, calculations, groupBys, orderBy, limit } = parameters
    const groups = groupBys.map(({ value }) => `${column(value)} AS "${value}"`)
    const values = calculations.map(({ operator, key, alias }) => `${CALCULATIONS[operator](key)} AS ${alias}`)
    // Only events with all keys of a group belong to it.
    const grouped = groupBys.map(({ value }) => `${column(value)} IS NOT NULL`)
    const when = `event ->> '$.timestamp' BETWEEN ${from} AND ${to}`
    // Rows with equal counts: in the order of their groups, which the API does not guarantee.
    const order = [`${orderBy.value} ${orderBy.order}`, ...groupBys.map(({ value }) => `"${value}"`)]
    return db
      .prepare(`SELECT ${[...groups, ...values].join(', ')} FROM events
      WHERE ${[when, ...filters.map(condition), ...grouped].join(' AND ')}
      GROUP BY ${groupBys.map((_, at) => at + 1).join(', ')} ORDER BY ${order.join(', ')} LIMIT ${limit}`)
      .all()
  }
}

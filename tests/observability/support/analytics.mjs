// Runs Analytics Engine's SQL on SQLite.
import { database, quantile } from './sqlite.mjs'
import { END } from './traffic.mjs'

/** The words that queries may use: a part of Cloudflare's reference of the dialect. */
const KNOWN = [
  'select',
  'as',
  'from',
  'where',
  'group',
  'by',
  'order',
  'asc',
  'desc',
  'and',
  'or',
  'limit',
  'having',
  'sum',
  'count',
  'avg',
  'min',
  'max',
  'round',
  'pow',
  'if',
  'quantileexactweighted',
  'tostartofinterval',
  'now',
  'interval',
  'minute',
  'hour',
  'day',
  'timestamp',
  '_sample_interval',
  'component_resolver',
]

/** The unknown words of a query: not in the dialect, not a column, not an alias. */
export function unknownWords(sql) {
  const words = sql
    .replace(/'[^']*'/g, '')
    .match(/[a-z_]\w*/gi)
    .map((word) => word.toLowerCase())
  const given = [...sql.matchAll(/\bAS (\w+)/g)].map(([, name]) => name)
  return words.filter((word) => !KNOWN.includes(word) && !given.includes(word) && !/^(blob|double)\d+$/.test(word))
}

const SECONDS = { MINUTE: 60, HOUR: 3_600, DAY: 86_400 }

const moment = (milliseconds) => new Date(milliseconds).toISOString().slice(0, 19).replace('T', ' ')

/** Translates the three forms that SQLite does not have; `NOW()` is the end of the sample. */
function translated(sql) {
  return sql
    .replace(/quantileExactWeighted\(([\d.]+)\)\(/g, 'quantileExactWeighted($1, ')
    .replace(
      /NOW\(\) - INTERVAL '(\d+)' (\w+)/g,
      (_, count, unit) => `'${moment(END - count * SECONDS[unit] * 1000 - 1)}'`,
    )
    .replace(/toStartOfInterval\((\w+), INTERVAL '(\d+)' (\w+)\)/g, (_, column, count, unit) => {
      const seconds = count * SECONDS[unit]
      return `datetime(unixepoch(${column}) / ${seconds} * ${seconds}, 'unixepoch')`
    })
}

const columns = (name, count) => Array.from({ length: count }, (_, at) => `${name}${at + 1}`)

/** The sampling interval of each index. */
const SAMPLED = { 'prompts/extraction': 10 }

/** The data set as a table with Analytics Engine's columns. */
export function analyticsEngine(requests) {
  const db = database()
  const names = ['timestamp', '_sample_interval', 'index1', ...columns('blob', 20), ...columns('double', 20)]
  db.exec(`CREATE TABLE component_resolver (${names.join(', ')})`)
  const insert = db.prepare(`INSERT INTO component_resolver VALUES (${names.map(() => '?').join(', ')})`)
  const padded = (values, none) => [...values, ...Array(20 - values.length).fill(none)]
  for (const {
    at,
    point: {
      indexes: [index],
      blobs,
      doubles,
    },
  } of requests) {
    insert.run(moment(at), SAMPLED[index] ?? 1, index, ...padded(blobs, ''), ...padded(doubles, 0))
  }
  db.aggregate('quantileExactWeighted', quantile)
  return (sql) => db.prepare(translated(sql)).all()
}

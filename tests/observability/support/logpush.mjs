import { database } from './sqlite.mjs'

/** A request as a row of Logpush's data set `workers_trace_events`; `log` is the Worker's own line. */
export const rowOf = ({ script, at, log, wallMs, cpuMs }) => {
  const { component, ref, status } = JSON.parse(log)
  const URL = `https://components.example.com/components/${component}@${ref}`
  return {
    CPUTimeMs: cpuMs,
    Event: { RayID: '9e1f0c5a7b3d2e48', Request: { Method: 'GET', URL }, Response: { Status: status } },
    EventTimestampMs: at,
    Exceptions: [],
    Logs: [{ Level: 'log', Message: [log], TimestampMs: at }],
    Outcome: 'ok',
    ScriptName: 'component-resolver-production',
    ScriptVersion: { id: script.id, message: `Release ${script.tag.slice(1)}`, tag: script.tag },
    WallTimeMs: wallMs,
  }
}

/** Runs SQLite's shell, as only the shell can read the file `rows.ndjson`. */
export function logs(rows) {
  const db = database()
  const file = rows.map((row) => `${JSON.stringify(row)}\n`).join('')
  db.function('readfile', (name) => (name === 'rows.ndjson' ? file : null))
  return db
}

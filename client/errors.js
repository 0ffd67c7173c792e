/** @typedef {import('./index.d.ts').Problem} Problem */
/** @typedef {import('./index.d.ts').Snapshot} Snapshot */

/** Statuses of temporary failures: another request may succeed. */
export const TRANSIENT = [408, 425, 429, 500, 502, 503, 504]

export class ResolverError extends Error {
  /** @param {string} message @param {{ status?: number | undefined, problem?: Problem | undefined, cause?: unknown, retryAfter?: number | undefined }} [options] */
  constructor(message, { status = 0, problem, cause, retryAfter } = {}) {
    super(message, { cause })
    this.name = 'ResolverError'
    this.status = status
    this.code = problem?.code ?? ''
    this.problem = problem
    this.retryAfter = retryAfter
  }
}

/** Tells if an error is temporary, so that a retry is useful. @param {unknown} error */
export const isTransient = (error) =>
  !(error instanceof ResolverError) || error.status === 0 || TRANSIENT.includes(error.status)

/** Thrown for a snapshot in which a reference has a temporary error. */
export class PartialSnapshot extends ResolverError {
  /** @param {Snapshot} snapshot @param {Problem} problem */
  constructor(snapshot, problem) {
    super(`/resolve: ${problem.status} ${problem.detail}`, { status: problem.status, problem })
    this.snapshot = snapshot
  }
}

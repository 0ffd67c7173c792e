/** An error that the user can fix: reported as one message, without a stack. */
export class UserError extends Error {
  /** @param {string} message @param {number} [exitCode] */
  constructor(message, exitCode = 1) {
    super(message)
    this.exitCode = exitCode
  }
}

/** The text of `--help`, which ends a script with exit code 0. */
export class HelpRequest extends Error {}

/** Writes a message to stderr; stdout is for data. @param {string} [line] */
export const log = (line = '') => process.stderr.write(`${line}\n`)

/** @param {string} line */
export const heading = (line) => log(`\n── ${line}`)

/** The time since `start` (from `Date.now()`), as text. @param {number} start */
export function duration(start) {
  const seconds = (Date.now() - start) / 1000
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`
}

/** The message of anything that was thrown, or of its cause. @param {unknown} error @returns {string} */
export function messageOf(error) {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? error.cause.message : error.message
}

/**
 * Runs the body of a script. It resolves to the exit code, 0 if it resolves to nothing.
 *
 * @param {() => Promise<number | void>} body
 */
export async function main(body) {
  try {
    const code = await body()
    process.exitCode = typeof code === 'number' ? code : 0
  } catch (error) {
    if (error instanceof HelpRequest) return void process.stdout.write(`${error.message}\n`)
    if (!(error instanceof UserError)) throw error
    log(error.message)
    process.exitCode = error.exitCode
  }
}

/** What a person did or lacks: told in one line, without a stack. */
export class UserError extends Error {
  constructor(message, exitCode = 1) {
    super(message)
    this.exitCode = exitCode
  }
}

/** Talk goes to stderr, data to stdout. */
export const say = (line = '') => process.stderr.write(`${line}\n`)

export const heading = (line) => say(`\n── ${line}`)

export function duration(since) {
  const seconds = (Date.now() - since) / 1000
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`
}

/** Runs a script's body; a known failure is one line and its exit code. */
export async function main(body) {
  try {
    process.exitCode = (await body()) ?? 0
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    say(error.message)
    process.exitCode = error.exitCode
  }
}

// Node says of its SQLite that it may change, which is nothing that a test's reader has to know.
const { emitWarning } = process
process.emitWarning = (warning, ...rest) =>
  String(warning).includes('SQLite') || emitWarning.call(process, warning, ...rest)
const { DatabaseSync } = await import('node:sqlite')

export const database = () => new DatabaseSync(':memory:')

/** The value below or at which lies the share `q` of all, each counted by its weight. */
export const quantile = {
  start: () => ({ q: 0, values: [] }),
  step: ({ values }, q, value, weight) => ({ q, values: value === null ? values : [...values, [value, weight]] }),
  result({ q, values }) {
    const sorted = values.toSorted(([a], [b]) => a - b)
    let rest = q * sorted.reduce((sum, [, weight]) => sum + weight, 0)
    const found = sorted.find(([, weight]) => {
      rest -= weight
      return rest <= 0
    })
    return found?.[0] ?? null
  },
}

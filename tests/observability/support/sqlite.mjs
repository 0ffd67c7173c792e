// Hides Node's warning that its SQLite is experimental.
const { emitWarning } = process
process.emitWarning = (warning, ...rest) =>
  String(warning).includes('SQLite') || emitWarning.call(process, warning, ...rest)
const { DatabaseSync } = await import('node:sqlite')

export const database = () => new DatabaseSync(':memory:')

/**
 * The quantile `q` of weighted values. The state of an aggregate can be any value, which Node's types
 * do not allow.
 *
 * @type {import('node:sqlite').AggregateOptions<any>}
 */
export const quantile = {
  start: () => ({ q: 0, values: [] }),
  // SQLite passes as many arguments as this function has parameters.
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

/** The value of a dotted name in GitHub's contexts; an unknown name is empty. */
const lookUp = (contexts, name) => name.split('.').reduce((of, member) => of?.[member], contexts) ?? ''

/** Evaluates a GitHub expression of names, strings, `!`, `&&`, `||`, `==`, `!=` and status functions. */
function evaluate(expression, contexts, { cancelled = false } = {}) {
  const source = expression.replace(/'[^']*'|\b[a-z][\w-]*(?:\.[\w-]+)+/gi, (part) =>
    part.startsWith("'") ? JSON.stringify(part.slice(1, -1)) : `name(${JSON.stringify(part)})`,
  )
  const scope = { name: (of) => lookUp(contexts, of), always: () => true, cancelled: () => cancelled }
  return new Function(...Object.keys(scope), `return ${source}`)(...Object.values(scope))
}

/** Replaces the expressions in a text by their values. */
export const filled = (text, contexts) =>
  String(text).replace(/\$\{\{ (.*?) \}\}/g, (_, expression) => evaluate(expression, contexts))

/** Tells if a job or step with this `if` runs. */
export function runs(condition, contexts, status) {
  const [, expression] = /^\$\{\{ (.*) \}\}$/s.exec(condition) ?? [null, condition]
  return Boolean(evaluate(expression, contexts, status))
}

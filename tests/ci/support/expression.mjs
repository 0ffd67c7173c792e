/** The value of a dotted name in GitHub's contexts; what is not there is empty. */
const lookUp = (contexts, name) => name.split('.').reduce((of, member) => of?.[member], contexts) ?? ''

/** The value of a GitHub expression of names, texts, `!`, `&&`, `||`, `==`, `!=` and status functions. */
function evaluate(expression, contexts, { cancelled = false } = {}) {
  const source = expression.replace(/'[^']*'|\b[a-z][\w-]*(?:\.[\w-]+)+/gi, (part) =>
    part.startsWith("'") ? JSON.stringify(part.slice(1, -1)) : `name(${JSON.stringify(part)})`,
  )
  const scope = { name: (of) => lookUp(contexts, of), always: () => true, cancelled: () => cancelled }
  return new Function(...Object.keys(scope), `return ${source}`)(...Object.values(scope))
}

/** A text with the expressions in it filled in. */
export const filled = (text, contexts) =>
  String(text).replace(/\$\{\{ (.*?) \}\}/g, (_, expression) => evaluate(expression, contexts))

/** Whether a job or step runs, given its `if`. */
export function runs(condition, contexts, status) {
  const [, expression] = /^\$\{\{ (.*) \}\}$/s.exec(condition) ?? [null, condition]
  return Boolean(evaluate(expression, contexts, status))
}

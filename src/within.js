/** What a promise comes to within `milliseconds`: its value, or an object for its error. */
export const within = (promise, milliseconds) =>
  new Promise((resolve) => {
    const late = () => resolve(new Error(`no answer within ${milliseconds} ms`))
    const timer = setTimeout(late, milliseconds)
    const settled = (outcome) => {
      clearTimeout(timer)
      resolve(outcome)
    }
    promise.then(settled, (error) => settled(Object(error)))
  })

/** The promise, or a rejection once `milliseconds` are over. */
export const within = (promise, milliseconds) =>
  new Promise((resolve, reject) => {
    const late = () => reject(new Error(`no answer within ${milliseconds} ms`))
    const timer = setTimeout(late, milliseconds)
    const settled = (settle) => (value) => {
      clearTimeout(timer)
      settle(value)
    }
    promise.then(settled(resolve), settled(reject))
  })

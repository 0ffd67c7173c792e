/** What a promise comes to within `milliseconds`: its value, or an object for its error. */
export const within = async (promise, milliseconds) => {
  const reads = new Reads(promise, milliseconds)
  const outcome = await reads.first
  reads.end()
  return outcome
}

/** Reads of one request, one after the other, under one timer: it is what costs most of a wait. */
export class Reads {
  /** Begins with one that may take so many milliseconds. */
  constructor(promise, milliseconds) {
    this.timer = setTimeout(() => this.late(), milliseconds)
    /** What that one comes to, as of `within`. */
    this.first = this.outcome(promise, milliseconds)
  }

  /** Begins with the next one while the first is under way; nobody may come to ask for it. */
  along(second) {
    this.second = second.catch(Object)
  }

  /** What the next one comes to, which has its milliseconds once the timer has gone off. */
  next(promise, milliseconds) {
    const outcome = this.outcome(promise, milliseconds)
    const { late } = this
    this.late = () => {
      this.timer = setTimeout(late, milliseconds)
    }
    return outcome
  }

  /** Nothing is waited for any more. */
  end() {
    clearTimeout(this.timer)
  }

  outcome(promise, milliseconds) {
    return new Promise((resolve) => {
      this.late = () => resolve(new Error(`no answer within ${milliseconds} ms`))
      promise.then(resolve, (error) => resolve(Object(error)))
    })
  }
}

/** The value of a promise within `milliseconds`, or an object for its error. */
export const within = async (promise, milliseconds) => {
  const reads = new Reads(promise, milliseconds)
  const outcome = await reads.first
  reads.end()
  return outcome
}

/** Settles after `milliseconds`. */
export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** The reads of one request, one after another, with one timer: it is the most expensive part of a wait. */
export class Reads {
  /** Begins with a read that may take `milliseconds`. */
  constructor(promise, milliseconds) {
    this.timer = setTimeout(() => this.late(), milliseconds)
    /** Its result, like that of `within`. */
    this.first = this.outcome(promise, milliseconds)
  }

  /** Begins the next read during the first one. Its result may never be used. */
  along(second) {
    this.second = second.catch(Object)
  }

  /** The result of the next read. Its time-out begins when the timer has fired. */
  next(promise, milliseconds) {
    const outcome = this.outcome(promise, milliseconds)
    const { late } = this
    this.late = () => {
      this.timer = setTimeout(late, milliseconds)
    }
    return outcome
  }

  /** The result of the read that was begun during the first one, like that of `next`; nothing if none was. */
  nextBegun(milliseconds) {
    return this.second && this.next(this.second, milliseconds)
  }

  /** Stops the timer. */
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

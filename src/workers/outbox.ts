/** Items of one message; more begin another. */
const mostItems = 256

/**
 * Puts together what is posted in one turn of the event loop: one message for many items, since each message costs far
 * more than an item in it. Under load a turn holds dozens; with little to do nothing waits.
 */
export class Outbox<T> {
  readonly #send: (items: readonly T[]) => void
  #items: T[] = []
  #scheduled = false

  constructor(send: (items: readonly T[]) => void) {
    this.#send = send
  }

  add(item: T): void {
    this.#items.push(item)
    if (this.#items.length >= mostItems) return this.flush()
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(this.#turn)
  }

  /** Sends now what has been added. */
  flush(): void {
    if (this.#items.length === 0) return
    const items = this.#items
    this.#items = []
    this.#send(items)
  }

  readonly #turn = (): void => {
    this.#scheduled = false
    this.flush()
  }
}

import { Connection, type Carrier, type ConnectionOptions, type ConnectionOwner } from './connection.ts'

/** Gives carriers for the requests to one origin. */
export interface CarrierPool {
  /** A free carrier, or a new one; with `fresh`, never one that was used before. */
  acquire(fresh: boolean): Carrier
  /** Closes what is idle now. */
  closeIdle(): void
  /** Closes what is idle now, and the rest as it becomes idle. */
  close(): Promise<void>
  /** Closes everything now; requests on the way fail. */
  destroy(): Promise<void>
}

/**
 * The HTTP/1.1 connections to one origin. Idle ones are taken again last in, first out, so that the surplus
 * grows old and closes by itself. The number is not limited here: the governor does that.
 */
export class OriginPool implements CarrierPool, ConnectionOwner {
  readonly #origin: string
  readonly #options: ConnectionOptions
  readonly #onEmpty: () => void
  readonly #idle: Connection[] = []
  readonly #all = new Set<Connection>()
  #closed = false

  /** `onEmpty` is called whenever the last connection is gone. */
  constructor(origin: string, options: ConnectionOptions, onEmpty: () => void) {
    this.#origin = origin
    this.#options = options
    this.#onEmpty = onEmpty
  }

  acquire(fresh: boolean): Carrier {
    const free = fresh ? undefined : this.#idle.pop()
    if (free !== undefined) {
      free.idle = false
      return free
    }
    const connection = new Connection(this.#origin, this.#options, this)
    this.#all.add(connection)
    return connection
  }

  released(connection: Connection): void {
    if (this.#closed) return connection.discard()
    connection.idle = true
    this.#idle.push(connection)
  }

  gone(connection: Connection): void {
    if (!this.#all.delete(connection)) return
    if (connection.idle) this.#idle.splice(this.#idle.indexOf(connection), 1)
    connection.idle = false
    if (this.#all.size === 0) this.#onEmpty()
  }

  closeIdle(): void {
    for (let last = this.#idle.at(-1); last; last = this.#idle.at(-1)) last.discard()
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#idle].map((connection) => connection.destroy()))
  }

  async destroy(): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#all].map((connection) => connection.destroy()))
  }
}

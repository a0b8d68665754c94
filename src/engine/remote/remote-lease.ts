import type { Lease, LeaseReport } from '../governor/index.ts'
import type { WireProgress } from './protocol.ts'

/** A lease as a worker holds it: what happens under it is gathered until it is told to the coordinator. */
export class RemoteLease implements Lease {
  readonly id: number
  readonly host: string
  /** Set once released. */
  report: LeaseReport | undefined
  readonly #onRelease: (lease: RemoteLease) => void
  #headers = false
  #headersTold = false
  #bytes = 0

  constructor(id: number, host: string, onRelease: (lease: RemoteLease) => void) {
    this.id = id
    this.host = host
    this.#onRelease = onRelease
  }

  headers(): void {
    this.#headers = true
  }

  bytes(count: number): void {
    this.#bytes += count
  }

  release(report: LeaseReport): void {
    if (this.report) return
    this.report = report
    this.#onRelease(this)
  }

  /** What is new since the last call; undefined when nothing is. */
  news(): WireProgress | undefined {
    const headers = this.#headers && !this.#headersTold
    const bytes = this.#bytes
    if (!headers && bytes === 0) return undefined
    this.#headersTold ||= headers
    this.#bytes = 0
    return { lease: this.id, headers, bytes }
  }
}

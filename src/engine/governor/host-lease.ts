import type { ErrorCode } from '../../core/index.ts'
import type { Lease, LeaseReport } from './governor.ts'
import type { LeaseEnd, LeaseFacts } from './host-controller.ts'
import type { HostGate } from './host-gate.ts'

/** Where a lease reports: the governor, as its leases see it. */
export interface LeaseBooks {
  /** Gives the time. */
  answered(gate: HostGate, seq: number, startedMs: number): number
  moved(gate: HostGate, count: number): void
  released(gate: HostGate, lease: HostLease, report: LeaseReport): void
}

/** Errors that speak against the host; others are about one file, or about this machine. */
const hostErrors: ReadonlySet<ErrorCode> = new Set([
  'ERR_NET_CONNECT',
  'ERR_NET_RESET',
  'ERR_NET_TLS',
  'ERR_NET_TIMEOUT',
  'ERR_NET_STALLED',
  'ERR_HTTP_PROTOCOL',
  'ERR_HTTP_SERVER',
])

/** The only object made for a request. A second release is ignored. */
export class HostLease implements Lease, LeaseFacts {
  readonly seq: number
  readonly level: number
  readonly startedMs: number
  answeredMs = -1
  receivedBytes = 0
  readonly #books: LeaseBooks
  readonly #gate: HostGate
  #over = false

  constructor(books: LeaseBooks, gate: HostGate, seq: number, startedMs: number) {
    this.#books = books
    this.#gate = gate
    this.seq = seq
    this.level = gate.controller.inflight
    this.startedMs = startedMs
  }

  get host(): string {
    return this.#gate.host
  }

  headers(): void {
    if (this.answeredMs >= 0 || this.#over) return
    this.answeredMs = this.#books.answered(this.#gate, this.seq, this.startedMs)
  }

  bytes(count: number): void {
    if (this.#over) return
    this.receivedBytes += count
    this.#books.moved(this.#gate, count)
  }

  release(report: LeaseReport): void {
    if (this.#over) return
    this.#over = true
    this.#books.released(this.#gate, this, report)
  }
}

/**
 * What a report means for the host. A failure of one file or of this machine is none of the host's: when headers
 * had come, the host did its part; when not, nothing was asked of it.
 */
export function endOf(report: LeaseReport, answered: boolean): LeaseEnd {
  if (report.result !== 'error' || report.error === undefined) return report.result
  if (hostErrors.has(report.error.code)) return 'error'
  return answered ? 'ok' : 'cancelled'
}

import type { PoolWorker } from '../../workers/index.ts'
import type { LeaseReport } from '../governor/index.ts'
import type { ToWorker } from './protocol.ts'
import type { OrderHandedOut } from './order-handed-out.ts'

/** Leases of orders that have ended while their requests have not: the hosts still work on them. */
export class LateLeases {
  readonly #held = new Map<number, { readonly handed: OrderHandedOut; readonly worker: unknown }>()

  add(handed: OrderHandedOut, worker: PoolWorker<ToWorker> | undefined): void {
    this.#held.set(handed.id, { handed, worker })
  }

  release(id: number, report: LeaseReport): void {
    this.#held.get(id)?.handed.release(report)
    this.#held.delete(id)
  }

  /** A worker is gone, and its requests with it. */
  releaseAll(worker: PoolWorker<ToWorker>): void {
    for (const [id, late] of this.#held) if (late.worker === worker) this.release(id, { result: 'cancelled' })
  }

  /** All workers are gone. */
  close(): void {
    for (const id of this.#held.keys()) this.release(id, { result: 'cancelled' })
  }
}

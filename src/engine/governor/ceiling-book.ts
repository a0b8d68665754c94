import type { Clock } from '../../core/index.ts'
import type { HostMemory } from './governor.ts'
import { ceilingMemoryMs } from './host-load.ts'
import type { HostController } from './host-controller.ts'

const keepForMs = 30 * 86_400_000
/** An old ceiling stops slow start only; after this it may be probed. */
const oldCeilingHoldMs = 30_000

/** A host that is asked so many times more than it was said to bear has outgrown what was said. */
const outgrown = 1.25

/** Host ceilings of earlier runs and of this one. */
export class CeilingBook {
  readonly #clock: Clock
  readonly #known = new Map<string, HostMemory>()

  constructor(clock: Clock, memory: readonly HostMemory[]) {
    this.#clock = clock
    for (const entry of memory) {
      if (entry.ceiling >= 1 && clock.wallMs() - entry.atWallMs < keepForMs)
        this.#known.set(entry.host, entry)
    }
  }

  /** Tells a new controller what is known of its host. */
  recall(host: string, controller: HostController, nowMs: number): void {
    const entry = this.#known.get(host)
    if (!entry) return
    const ageMs = Math.max(0, this.#clock.wallMs() - entry.atWallMs)
    const holdMs = Math.max(ceilingMemoryMs - ageMs, oldCeilingHoldMs)
    controller.remember(Math.floor(entry.ceiling), nowMs + holdMs, nowMs)
  }

  /** Notes what a controller learned, also that what was known no longer holds. */
  note(host: string, controller: HostController): void {
    const learned = controller.learned
    if (!learned) {
      const known = this.#known.get(host)
      const isOutgrown = known && controller.phase === 'steady' && controller.limit > outgrown * known.ceiling
      if (isOutgrown) this.#known.delete(host)
      return
    }
    const atWallMs = this.#clock.wallMs() - (this.#clock.now() - learned.atMs)
    this.#known.set(host, { host, ceiling: learned.ceiling, atWallMs })
  }

  all(): readonly HostMemory[] {
    return [...this.#known.values()]
  }
}

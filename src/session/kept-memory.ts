import { toTrawlError, type Clock } from '../core/index.ts'
import type { HostMemory } from '../engine/index.ts'
import { StateDatabase } from '../storage/index.ts'

const keptMs = 30 * 86_400_000

export interface KeptMemoryOptions {
  readonly folder: string
  readonly clock: Clock
  /** Told why nothing could be read or kept; the work goes on without. */
  readonly onNotice: (message: string) => void
}

/**
 * What earlier runs learned of hosts, in the state database. Opened twice in the life of a trawl: at its begin, where
 * there is one, and at its end, where something was learned. Never throws.
 */
export class KeptMemory {
  readonly #options: KeptMemoryOptions
  readonly #known = new Map<string, HostMemory>()

  constructor(options: KeptMemoryOptions) {
    this.#options = options
    const { folder, clock } = options
    this.#attempt(() => {
      if (!StateDatabase.exists(folder)) return
      using database = StateDatabase.open(folder)
      for (const entry of database.hostCeilings(clock.wallMs() - keptMs)) this.#known.set(entry.host, entry)
    })
  }

  get entries(): readonly HostMemory[] {
    return [...this.#known.values()]
  }

  /** Keeps what is new in it. */
  keep(learned: readonly HostMemory[]): void {
    const fresh = learned.filter(({ host, ceiling, atWallMs }) => {
      const known = this.#known.get(host)
      return known === undefined || known.ceiling !== ceiling || known.atWallMs !== atWallMs
    })
    if (fresh.length === 0) return
    const { folder, clock } = this.#options
    this.#attempt(() => {
      using database = StateDatabase.open(folder)
      database.keepHostCeilings(fresh, clock.wallMs() - keptMs)
    })
  }

  #attempt(act: () => void): void {
    try {
      act()
    } catch (thrown) {
      const { message, hint } = toTrawlError(thrown)
      this.#options.onNotice(
        `the state of earlier runs is not used: ${message}${hint === '' ? '' : ` (${hint})`}`,
      )
    }
  }
}

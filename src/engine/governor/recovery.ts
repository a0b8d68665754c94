import type { BrakeEpisode } from './brake-episode.ts'
import { ceilingMemoryMs, suspicionMs, type HostLoad } from './host-load.ts'
import type { Phase } from './phase.ts'

/**
 * After a brake: stays at the cut limit until the episode is over, then grows back by one a finished request
 * towards the number the host bore, and remembers that as its ceiling.
 */
export class Recovery implements Phase {
  readonly name = 'recovery'
  growTo: number
  readonly #load: HostLoad
  readonly #episode: BrakeEpisode
  readonly #growAtMs: number
  readonly #share: number
  readonly #done: (nowMs: number) => Phase

  /**
   * Growth waits for `growAtMs` and covers `share` of the way back: a host that refuses again and again is
   * approached ever more slowly.
   */
  constructor(
    load: HostLoad,
    episode: BrakeEpisode,
    growth: { readonly growAtMs: number; readonly share: number },
    done: (nowMs: number) => Phase,
  ) {
    this.#load = load
    this.#episode = episode
    this.#growAtMs = growth.growAtMs
    this.#share = growth.share
    this.#done = done
    this.growTo = load.limit
  }

  progress(nowMs: number): Phase | undefined {
    const load = this.#load
    if (nowMs < this.#growAtMs || !this.#episode.closed(nowMs)) return undefined
    if (this.growTo <= load.limit) {
      const ceiling = Math.min(Math.max(this.#episode.borne, load.limit), load.top(nowMs))
      const mostMs = this.#episode.cause === 'errors' ? suspicionMs : ceilingMemoryMs
      load.learnRefusal(ceiling, { refusals: this.#episode.refusals, mostMs }, nowMs)
      this.growTo = load.limit + Math.round((ceiling - load.limit) * this.#share)
    }
    return load.limit >= this.growTo ? this.#done(nowMs) : undefined
  }
}

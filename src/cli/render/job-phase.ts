import type { DownloadEvent } from '../../core/index.ts'

/** What the job does beside downloading, from its events: a phase such as `packing`, or that it is paused. */
export class JobPhase {
  #phase: string | undefined
  #paused: string | undefined

  /** What to show before the counters. */
  get text(): string | undefined {
    return this.#paused ?? this.#phase
  }

  onEvent(event: DownloadEvent): void {
    if (event.type === 'job.phase') {
      this.#phase = event.detail === undefined ? event.phase : `${event.phase} ${event.detail}`
    } else if (event.type === 'job.paused') {
      this.#paused = event.reason === '' ? 'paused' : `paused: ${event.reason}`
    } else if (event.type === 'job.resumed') this.#paused = undefined
  }
}

import type { ActiveItem, ErrorData, JobStats, Outcome, Progress } from '../core/index.ts'
import type { PageFetcher } from './page-fetcher.ts'

/** Counts the pages of a job over all its works; speed and hosts are those of the runs at work. */
export class BookProgress {
  readonly #fetchers = new Set<PageFetcher>()
  readonly #outcomes: Outcome[] = []
  readonly #failures = new Map<string, number>()
  readonly #counts = { ok: 0, skipped: 0, failed: 0, unfinished: 0 }
  readonly #startedMs = performance.now()
  #endedMs: number | undefined
  #planned = 0
  #plannedIsFinal = false
  #sizeBytes = 0
  #fetchedBytes = 0
  #retries = 0

  planned(): void {
    this.#planned++
  }

  plannedAll(): void {
    this.#plannedIsFinal = true
  }

  end(): void {
    this.#endedMs = performance.now()
  }

  ended(outcome: Outcome): void {
    this.#counts[outcome.status]++
    this.#outcomes.push(outcome)
    if (outcome.status !== 'failed') this.#sizeBytes += outcome.sizeBytes
    if (outcome.status === 'failed' && outcome.error) this.#failed(outcome.error)
  }

  /** A work, or an input, that failed as a whole counts as one item. */
  failedWhole(outcome: Outcome): void {
    this.#planned++
    this.ended(outcome)
  }

  add(fetcher: PageFetcher): () => void {
    this.#fetchers.add(fetcher)
    return () => {
      this.#fetchers.delete(fetcher)
      const { fetchedBytes, retries } = fetcher.run.stats()
      this.#fetchedBytes += fetchedBytes
      this.#retries += retries
    }
  }

  fetchers(): Iterable<PageFetcher> {
    return this.#fetchers
  }

  outcomes(): readonly Outcome[] {
    return this.#outcomes
  }

  activeItems(limit: number): readonly ActiveItem[] {
    return [...this.#fetchers].flatMap((fetcher) => fetcher.activeItems(limit)).slice(0, limit)
  }

  progress(): Progress {
    const runs = [...this.#fetchers].map(({ run }) => run.progress())
    const sum = (of: (progress: Progress) => number): number =>
      runs.reduce((total, progress) => total + of(progress), 0)
    const { ok, skipped, failed } = this.#counts
    const active = sum((progress) => progress.active)
    return {
      planned: this.#planned,
      plannedIsFinal: this.#plannedIsFinal,
      ok,
      skipped,
      failed,
      active,
      waiting: Math.max(0, this.#planned - ok - skipped - failed - this.#counts.unfinished - active),
      doneBytes: this.#fetchedBytes + sum((progress) => progress.doneBytes),
      fetchedBytes: this.#fetchedBytes + sum((progress) => progress.fetchedBytes),
      knownBytes: this.#fetchedBytes + sum((progress) => progress.knownBytes),
      speedBps: sum((progress) => progress.speedBps),
      elapsedMs: this.#elapsedMs(),
      hosts: runs[0]?.hosts ?? [],
    }
  }

  stats(): JobStats {
    const fetchedBytes = this.progress().fetchedBytes
    const durationMs = this.#elapsedMs()
    return {
      planned: this.#planned,
      ...this.#counts,
      sizeBytes: this.#sizeBytes,
      fetchedBytes,
      durationMs,
      meanSpeedBps: durationMs > 0 ? (fetchedBytes * 1000) / durationMs : 0,
      retries: this.#retries + [...this.#fetchers].reduce((total, { run }) => total + run.stats().retries, 0),
      failures: Object.fromEntries(this.#failures),
    }
  }

  #elapsedMs(): number {
    return (this.#endedMs ?? performance.now()) - this.#startedMs
  }

  #failed(error: ErrorData): void {
    this.#failures.set(error.code, (this.#failures.get(error.code) ?? 0) + 1)
  }
}

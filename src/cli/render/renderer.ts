import type { ActiveItem, DownloadEvent, ErrorData, JobStats, Outcome, Progress } from '../../core/index.ts'

/** What a renderer sees of a job. Counters are polled a few times a second, so that files cost no events. */
export interface JobView {
  progress(): Progress
  /** Transfers under way, the longest running first. */
  activeItems(limit: number): readonly ActiveItem[]
  /** Calls `listen` with every event from now on; the returned function ends that. */
  onEvent(listen: (event: DownloadEvent) => void): () => void
}

/** How a job ended, beyond its sums. */
export interface JobEnding {
  /** Where all failures are listed. */
  readonly reportPath?: string
  /** The first failures from the journal, for those whose events were lost. */
  readonly failures?: readonly Outcome[]
  /** Why the whole job ended, where it did not just come to its end. */
  readonly error?: ErrorData
}

/**
 * One reader of a job: live lines, plain lines or JSON lines. It holds nothing up and throws nothing; it writes only
 * to the output it was made with.
 */
export interface Renderer {
  start(view: JobView): void
  /** A line for people while the job runs, such as what an interrupt did. */
  say(text: string): void
  /**
   * Ends the display and writes the summary; without `stats` only the display ends and the screen is left in order.
   * May be called more than once: later calls do nothing.
   */
  stop(stats?: JobStats, ending?: JobEnding): void
}

/** Where text goes: standard output or standard error of the process, or a test. */
export interface Output {
  /** False where the text is kept back because the reader is slow; `onDrain` tells when it caught up. */
  write(text: string): boolean
  onDrain?(listen: () => void): () => void
}

/** An output that is a screen. */
export interface Terminal extends Output {
  /** Columns and rows at this moment. */
  size(): { readonly columns: number; readonly rows: number }
  onResize?(listen: () => void): () => void
}

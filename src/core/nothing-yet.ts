import type { JobStats, Progress } from './events.ts'

/** The sums of a job that has not begun. */
export const noStats: JobStats = {
  planned: 0,
  ok: 0,
  skipped: 0,
  failed: 0,
  unfinished: 0,
  sizeBytes: 0,
  fetchedBytes: 0,
  durationMs: 0,
  meanSpeedBps: 0,
  retries: 0,
  failures: {},
}

/** The progress of a job that has not begun. */
export const noProgress: Progress = {
  planned: 0,
  plannedIsFinal: false,
  ok: 0,
  skipped: 0,
  failed: 0,
  active: 0,
  waiting: 0,
  doneBytes: 0,
  fetchedBytes: 0,
  knownBytes: 0,
  speedBps: 0,
  elapsedMs: 0,
  hosts: [],
}

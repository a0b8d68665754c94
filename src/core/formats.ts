/**
 * Versions of every durable or wire format. A reader recovers what is sound of a damaged file and refuses,
 * untouched, what is newer (`ERR_FORMAT_NEWER`). Described in `docs/formats.md`.
 */
export const formats = {
  journal: 1,
  safePoints: 1,
  events: 1,
  report: 1,
  workerMessages: 1,
  bookRecord: 1,
  shardPlan: 1,
  shardStats: 1,
  sampleSpool: 1,
  comparison: 1,
  stateDatabase: 1,
} as const

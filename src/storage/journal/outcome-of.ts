import type { Outcome } from '../../core/index.ts'
import type { JournalEntry } from './journal.ts'

/** The outcome that the records of a finished task amount to; undefined while it is not finished. */
export function outcomeOf(entry: JournalEntry): Outcome | undefined {
  const base = {
    id: entry.id,
    ordinal: entry.named?.ordinal ?? entry.failed?.ordinal ?? 0,
    input: entry.named?.input ?? entry.failed?.input ?? '',
  }
  if (entry.state === 'failed' && entry.failed) {
    const { path, attempts, error, httpStatus } = entry.failed
    const request = entry.named?.request ?? entry.failed.request
    return {
      ...base,
      status: 'failed',
      sizeBytes: 0,
      fetchedBytes: 0,
      durationMs: 0,
      attempts,
      error,
      ...(path === undefined ? {} : { path }),
      ...(httpStatus === undefined ? {} : { httpStatus }),
      ...(request ? { request } : {}),
    }
  }
  if (entry.state !== 'done' || !entry.intent) return undefined
  const { path, lengthBytes, facts } = entry.intent
  const { url, digest, contentType, httpStatus, unverifiedLength } = facts
  return {
    ...base,
    status: 'ok',
    path,
    sizeBytes: lengthBytes,
    fetchedBytes: facts.fetchedBytes ?? lengthBytes,
    durationMs: facts.durationMs ?? 0,
    attempts: facts.attempts ?? 1,
    ...(url === undefined ? {} : { url }),
    ...(digest === undefined ? {} : { digest }),
    ...(contentType === undefined ? {} : { contentType }),
    ...(httpStatus === undefined ? {} : { httpStatus }),
    ...(unverifiedLength === undefined ? {} : { unverifiedLength }),
  }
}

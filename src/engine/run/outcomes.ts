import { describeLocator, taskRequest, type DownloadTask, type Outcome } from '../../core/index.ts'
import type { StagedTransfer } from '../transfer/transfer.ts'
import type { FilteredTask, RefusedTask } from './task-input.ts'
import type { RunningTask } from './task-queue.ts'

/** An outcome while it is being filled in: assignments cost a fraction of spreading, once for each file. */
export type MutableOutcome = { -readonly [K in keyof Outcome]: Outcome[K] }

/** The outcome of a task for which nothing was sent. */
export function untried(task: DownloadTask): Omit<Outcome, 'status'> {
  return { ...nothing, id: task.id, ordinal: task.ordinal, input: describeLocator(task.locator) }
}

/** The outcome of what was refused before it became a task, or is not wanted after all. */
export function unwanted(input: RefusedTask | FilteredTask): Outcome {
  const { id, ordinal } = input
  const base = { ...nothing, id, ordinal, input: input.input }
  return 'refused' in input
    ? { ...base, status: 'failed', error: input.refused.toJSON() }
    : { ...base, status: 'skipped', skipReason: 'filtered' }
}

const nothing = { sizeBytes: 0, fetchedBytes: 0, durationMs: 0, attempts: 0 } as const

/** What is known of a task at its end, whatever the end is. */
export function outcomeBase(item: RunningTask, nowMs: number): MutableOutcome {
  return {
    status: 'unfinished',
    id: item.task.id,
    ordinal: item.task.ordinal,
    input: describeLocator(item.task.locator),
    sizeBytes: 0,
    fetchedBytes: item.fetchedBytes,
    durationMs: item.startedMs === 0 ? 0 : nowMs - item.startedMs,
    attempts: item.attempt,
  }
}

/** Makes an outcome that of a file that stands under its name. */
export function fillCommitted(outcome: MutableOutcome, staged: StagedTransfer, path: string): void {
  const { url, contentType, digest, httpStatus, unverifiedLength } = staged.facts
  outcome.status = 'ok'
  outcome.path = path
  outcome.sizeBytes = staged.lengthBytes
  if (url !== undefined) outcome.url = url
  if (contentType !== undefined) outcome.contentType = contentType
  if (digest !== undefined) outcome.digest = digest
  if (httpStatus !== undefined) outcome.httpStatus = httpStatus
  if (unverifiedLength !== undefined) outcome.unverifiedLength = unverifiedLength
}

/** What an item that did not arrive asked for, so that it can be tried again. */
export function requestOf({ task }: RunningTask): Pick<Outcome, 'request'> {
  const request = taskRequest(task)
  return request ? { request } : {}
}

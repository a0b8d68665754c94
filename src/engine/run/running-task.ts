import { TrawlError, type DownloadTask, type Place } from '../../core/index.ts'
import type { Admission } from '../destination/destination.ts'
import type { KeptBytes } from '../transfer/transfer.ts'
import { hostOf } from './host-of.ts'
import type { RunningTask } from './task-queue.ts'

export function newRunningTask(
  task: DownloadTask,
  admission: Extract<Admission, { admit: 'fetch' }>,
): RunningTask {
  const places = task.locator.kind === 'source' ? [] : task.locator.places
  return {
    task,
    host: task.locator.kind === 'source' ? task.locator.source : hostOf(places[0]?.url ?? ''),
    places: admission.places ?? places,
    allPlaces: places,
    mirrored: task.locator.kind === 'mirrors',
    attemptStartedMs: 0,
    priority: task.priority ?? 0,
    attempt: 0,
    throttles: 0,
    connections: 0,
    path: admission.path,
    kept: admission.kept,
    startedMs: 0,
    fetchedBytes: 0,
    doneBytes: 0,
    sizeBytes: undefined,
    error: undefined,
    httpStatus: undefined,
    refreshed: 0,
    unresolved: 0,
    replace: admission.replace ?? false,
    replaces: admission.replaces,
    found: admission.found,
    restarts: 0,
    split: task.split,
    limitRateBps: task.limitRateBps,
    order: undefined,
    stop: undefined,
    slot: -1,
    keptBytes: sizeOf(admission.kept),
  }
}

/**
 * The places of a task in the order of its present attempt: each attempt begins with the next one. Throws ERR_INTERNAL
 * where a source locator was not resolved first.
 */
export function placesOf({ places, attempt }: RunningTask): readonly Place[] {
  if (places.length > 0) {
    const turn = (attempt - 1) % places.length
    return turn <= 0 ? places : [...places.slice(turn), ...places.slice(0, turn)]
  }
  throw new TrawlError('ERR_INTERNAL', 'a task without places was started')
}

/** Bytes that are kept of a file. */
export function sizeOf(kept: KeptBytes | undefined): number {
  let size = 0
  for (const { start, end } of kept?.extents ?? []) size += end - start
  return size
}

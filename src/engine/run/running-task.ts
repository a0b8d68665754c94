import { TrawlError, type DownloadTask, type Place } from '../../core/index.ts'
import type { Admission } from '../destination/destination.ts'
import type { RunningTask } from './task-queue.ts'

export function newRunningTask(
  task: DownloadTask,
  admission: Extract<Admission, { admit: 'fetch' }>,
): RunningTask {
  const places = task.locator.kind === 'source' ? [] : task.locator.places
  return {
    task,
    host: task.locator.kind === 'source' ? task.locator.source : hostOf(places[0]?.url ?? ''),
    places,
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
    replace: admission.replace ?? false,
  }
}

/** The places of a task, resolved. Throws ERR_INTERNAL where a source locator was not resolved first. */
export function placesOf(item: RunningTask): readonly Place[] {
  if (item.places.length > 0) return item.places
  throw new TrawlError('ERR_INTERNAL', 'a task without places was started')
}

/** Host and port of a URL, as limits are kept by. Cheaper than parsing the whole URL. */
export function hostOf(url: string): string {
  const start = url.indexOf('://') + 3
  if (start < 3) throw new TrawlError('ERR_URL_INVALID', `${url} is not a URL`, { context: { url } })
  let end = start
  while (end < url.length && !'/?#'.includes(url[end] ?? '/')) end++
  const at = url.lastIndexOf('@', end)
  return url.slice(at >= start ? at + 1 : start, end).toLowerCase()
}

import {
  describeLocator,
  type ActiveItem,
  type DownloadEventBody,
  type HostProgress,
  type TrawlError,
} from '../../core/index.ts'
import type { Governor, GovernorEvent } from '../governor/index.ts'
import type { RunningTask } from './task-queue.ts'

/** What people see of the transfers under way, the longest running first. */
export function activeItemsOf(tasks: Iterable<RunningTask>, limit: number): ActiveItem[] {
  const items: ActiveItem[] = []
  for (const { task, path, doneBytes, connections, sizeBytes } of tasks) {
    if (items.length >= limit) break
    items.push({
      id: task.id,
      name: path ?? describeLocator(task.locator),
      doneBytes,
      connections,
      ...(sizeBytes === undefined ? {} : { sizeBytes }),
    })
  }
  return items
}

export function hostProgress(governor: Governor): HostProgress[] {
  return governor.snapshot().hosts.map(({ host, active, limit, pausedMs }) => ({
    host,
    active,
    limit,
    ...(pausedMs > 0 ? { pausedMs } : {}),
  }))
}

export function retryEvent(item: RunningTask, error: TrawlError, delayMs: number): DownloadEventBody {
  return {
    type: 'task.retrying',
    id: item.task.id,
    input: describeLocator(item.task.locator),
    attempt: item.attempt,
    delayMs,
    error: error.toJSON(),
  }
}

export function startAnewEvent(item: RunningTask, error: TrawlError): DownloadEventBody {
  const message = `${describeLocator(item.task.locator)}: ${error.message}; starting again`
  return { type: 'job.notice', message, error: error.toJSON() }
}

export function hostEvent(event: GovernorEvent): DownloadEventBody {
  switch (event.type) {
    case 'limit':
      return { ...event, type: 'host.limit' }
    case 'paused':
      return { ...event, type: 'host.paused' }
    case 'resumed':
      return { ...event, type: 'host.resumed' }
    default:
      return { type: 'job.notice', message: `at most ${event.limit} requests at once: ${event.reason}` }
  }
}

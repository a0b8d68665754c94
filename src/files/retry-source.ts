import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { isAddress, TrawlError, taskOfRequest, type DownloadTask, type TaskRequest } from '../core/index.ts'
import type { GetOptions } from '../config/index.ts'
import type { InputTask } from '../engine/index.ts'
import { FolderView, storageError, type LeftItem } from '../storage/index.ts'
import { readReport, type ReportedItem } from './read-report.ts'

const batchSize = 256

/** Which items are to be tried again; all of them where nothing is given. */
export interface RetryFilter {
  readonly statuses?: ReadonlySet<'failed' | 'unfinished'>
  readonly codes?: ReadonlySet<string>
}

/** What is given with the new run; it goes before what was asked for in the first one. */
export type RetryWishes = Partial<Pick<GetOptions, 'headers' | 'referer' | 'split' | 'name'>>

/** Failed and unfinished items, to be downloaded again as they were asked for. */
export interface RetrySource {
  /** The output folder; absolute. Undefined where a report does not tell it. */
  readonly dir?: string
  /** Items that pass the filter. */
  readonly count: number
  /** Of these, items that were sent with headers which are not kept, by the header's name. */
  readonly withheld: Readonly<Record<string, number>>
  /** The items as tasks, read again from the start with each call. `wishes` are those of the new run. */
  tasks(wishes?: RetryWishes): AsyncIterable<readonly InputTask[]>
}

/**
 * What can be tried again of a report or of an output folder. Throws ERR_INPUT_UNREADABLE for what is neither, and
 * storage errors. Reads everything once, so that what is wrong is told before anything is sent.
 */
export async function openRetry(path: string, filter: RetryFilter = {}): Promise<RetrySource> {
  const absolute = resolve(path)
  const items = isFolder(absolute) ? folderItems(absolute) : () => readReport(absolute)
  let count = 0
  let dir: string | undefined
  const withheld: Record<string, number> = {}
  for await (const item of items()) {
    dir ??= item.dir
    if (!passes(item, filter)) continue
    count++
    for (const name of item.request?.withheld ?? []) withheld[name] = (withheld[name] ?? 0) + 1
  }
  return {
    count,
    withheld,
    ...(dir === undefined ? {} : { dir }),
    tasks: (wishes = {}) => tasksOf(items(), filter, wishes),
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch (error) {
    const { message } = storageError(error, { path, doing: 'read' })
    throw new TrawlError('ERR_INPUT_UNREADABLE', message, {
      context: { path },
      hint: 'Give an output folder of trawl, or a file that --report wrote.',
    })
  }
}

function folderItems(dir: string): () => AsyncGenerator<ReportedItem, void, undefined> {
  return async function* items() {
    const view = new FolderView(dir)
    try {
      if (!view.hasJournal) throw notOfGet(dir)
      for (const item of view.items()) yield reportedItem(item, dir)
    } finally {
      view.close()
    }
  }
}

function notOfGet(dir: string): TrawlError {
  return new TrawlError('ERR_INPUT_UNREADABLE', `${dir}: no downloads of \`trawl get\` are on record here`, {
    context: { path: dir },
    hint: 'For a dataset: trawl dataset retry -d DIR. For a book: the same `trawl book` command again.',
  })
}

function reportedItem(item: LeftItem, dir: string): ReportedItem {
  const { id, ordinal, status, input, path, error, request } = item
  return {
    id,
    ordinal,
    status,
    input,
    dir,
    ...(path === undefined ? {} : { path }),
    ...(error ? { code: error.code, message: error.message } : {}),
    ...(request ? { request } : {}),
  }
}

function passes({ status, code }: ReportedItem, { statuses, codes }: RetryFilter): boolean {
  if (statuses && !statuses.has(status)) return false
  return codes === undefined || (code !== undefined && codes.has(code))
}

async function* tasksOf(
  items: AsyncIterable<ReportedItem>,
  filter: RetryFilter,
  wishes: RetryWishes,
): AsyncGenerator<readonly InputTask[], void, undefined> {
  let batch: InputTask[] = []
  for await (const item of items) {
    if (!passes(item, filter)) continue
    batch.push(taskOf(item, wishes))
    if (batch.length < batchSize) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

function taskOf(item: ReportedItem, wishes: RetryWishes): InputTask {
  const { id, ordinal, input, code, message, name } = item
  if (!isAddress(input)) {
    const refused = new TrawlError(code ?? 'ERR_URL_INVALID', message ?? `not a URL: ${input}`)
    return { id, ordinal, input, refused }
  }
  const request: TaskRequest = item.request ?? {}
  const task = taskOfRequest(item, withNewWishes(request, wishes))
  if (name === undefined || task.target.path !== undefined || wishes.name !== undefined) return task
  return { ...task, target: { template: name, ...task.target } } satisfies DownloadTask
}

function withNewWishes(request: TaskRequest, { headers = {}, referer, split }: RetryWishes): TaskRequest {
  const given: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) given[name.toLowerCase()] = value
  if (referer !== undefined) given['referer'] = referer
  const all = { ...request.headers, ...given }
  return {
    ...request,
    ...(Object.keys(all).length === 0 ? {} : { headers: all }),
    ...(split === undefined || split === 'auto' ? {} : { split }),
  }
}

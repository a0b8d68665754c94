import { systemClock, toTrawlError, TrawlError, type DownloadTask } from '../core/index.ts'
import { judgeResponse, type FetchDocument, type InputTask, type RetryOptions } from '../engine/index.ts'
import { isListFault, isMetalink, parseMetalink, type ListEntry } from '../sources/index.ts'

/** Fetches the document of a task into memory. Rejects with TrawlError, also for an error status. */
export type FetchOfTask = (task: DownloadTask, signal: AbortSignal) => Promise<Uint8Array>

/** Fetches documents of tasks with their headers, through the leases and retries of an engine. */
export function createTaskFetcher(fetchDocument: FetchDocument, retry: RetryOptions): FetchOfTask {
  return async (task, signal) => {
    const place = task.locator.kind === 'source' ? undefined : task.locator.places[0]
    if (!place) throw new TrawlError('ERR_INTERNAL', 'a document without an address')
    const headers = { ...task.headers, ...place.headers }
    const found = await fetchDocument(place.url, { headers, retry, signal })
    const error = judgeResponse(found, systemClock)
    if (error) throw error
    return found.bytes
  }
}

export interface MetalinkDocumentsOptions {
  /** Whether Metalinks are followed at all. */
  readonly follow: boolean
  readonly fetchOfTask: FetchOfTask
  readonly notice: (message: string) => void
  readonly signal: AbortSignal
  readonly taskOf: (entry: ListEntry) => InputTask
  readonly refuse: (error: TrawlError, input: string) => InputTask
}

const metalinkType = /^application\/metalink4\+xml\b/i

/** Documents fetched at once. One that is slow does not hold up the inputs behind it. */
const maxAtOnce = 8

/** Puts the files that Metalinks list in place of the Metalinks. */
export class MetalinkDocuments {
  readonly #options: MetalinkDocumentsOptions
  /** Tasks that a Metalink lists: they are files, also where they are Metalinks themselves. */
  readonly #listed = new WeakSet<DownloadTask>()

  constructor(options: MetalinkDocumentsOptions) {
    this.#options = options
  }

  /**
   * The same tasks, but those of addresses that end in `.meta4` are fetched, read, and replaced by what they list: in
   * their order, after inputs that were at hand meanwhile. A document that cannot be had or read is a refused task.
   * What the input throws comes after all documents.
   */
  async *expand(
    batches: AsyncIterable<readonly InputTask[]>,
  ): AsyncGenerator<readonly InputTask[], void, undefined> {
    if (!this.#options.follow) return yield* batches
    const input = batches[Symbol.asyncIterator]()
    const fetching: Promise<readonly InputTask[]>[] = []
    let next = nextOf(input)
    let end: Next | undefined
    try {
      while (!end || fetching.length > 0) {
        const [oldest] = fetching
        const wanted = end || fetching.length > maxAtOnce ? undefined : next
        const came = await (wanted && oldest ? Promise.race([wanted, oldest]) : (wanted ?? oldest ?? next))
        if (!('batch' in came)) {
          void fetching.shift()
          yield came
          continue
        }
        if (came.batch === undefined) {
          end = came
          continue
        }
        next = nextOf(input)
        for (const document of came.batch.filter(isDocument)) fetching.push(this.#tasksOf(document))
        yield fetching.length === 0 ? came.batch : came.batch.filter((task) => !isDocument(task))
      }
    } finally {
      if (!end) await input.return?.()
    }
    if (end.error) throw end.error.thrown
    return undefined
  }

  /** Whether an answer of this kind to a task is a Metalink whose files are wanted in its place. */
  isFollowed(task: DownloadTask, contentType: string | undefined): boolean {
    // Asked of every file: no more than a look at the text for all but Metalinks.
    if (contentType === undefined || !metalinkType.test(contentType)) return false
    return this.#options.follow && !this.#listed.has(task)
  }

  /** What the Metalink behind a task lists. */
  async *follow(task: DownloadTask): AsyncGenerator<readonly InputTask[], void, undefined> {
    yield await this.#tasksOf(task)
  }

  async #tasksOf(task: DownloadTask): Promise<readonly InputTask[]> {
    const { fetchOfTask, notice, signal, taskOf, refuse } = this.#options
    const url = urlOf(task)
    try {
      const bytes = await fetchOfTask(task, signal)
      const entries = parseMetalink(bytes, { name: url, notice })
      const tasks = asAsked(entries, task).map((entry) => withOptionsOf(task, taskOf(entry)))
      for (const each of tasks) if ('locator' in each) this.#listed.add(each)
      return tasks
    } catch (thrown) {
      return [refuse(toTrawlError(thrown), url)]
    }
  }
}

/** What the input gave; without a batch it has ended, perhaps by an error. */
interface Next {
  readonly batch: readonly InputTask[] | undefined
  readonly error?: { readonly thrown: unknown }
}

/** Never rejects, since nobody may be left to hear of it. */
async function nextOf(input: AsyncIterator<readonly InputTask[]>): Promise<Next> {
  try {
    const { done, value } = await input.next()
    return { batch: done ? undefined : value }
  } catch (thrown) {
    return { batch: undefined, error: { thrown } }
  }
}

function isDocument(task: InputTask): task is DownloadTask {
  return 'locator' in task && isMetalink({ name: urlOf(task) })
}

function urlOf({ locator }: DownloadTask): string {
  return locator.kind === 'source' ? '' : (locator.places[0]?.url ?? '')
}

/** A name or a checksum that was given with the Metalink is meant for the one file that it lists. */
function asAsked(entries: readonly ListEntry[], { target, digests }: DownloadTask): readonly ListEntry[] {
  const { path, dir } = target
  if ((path !== undefined || digests !== undefined) && entries.length > 1) {
    throw new TrawlError('ERR_USAGE', `the Metalink lists ${entries.length} files, not one`, {
      scope: 'task',
      hint: 'Give no name and no checksum for it; the Metalink has those of its files.',
    })
  }
  return entries.map((entry) => {
    if (isListFault(entry)) return entry
    const own = entry.options ?? {}
    const options = {
      ...own,
      ...(path === undefined ? {} : { out: path }),
      ...(dir === undefined ? {} : { dir }),
      ...(digests === undefined ? {} : { digests: [...digests, ...(own.digests ?? [])] }),
    }
    return { ...entry, options }
  })
}

function withOptionsOf(document: DownloadTask, task: InputTask): InputTask {
  const { split, priority, limitRateBps } = document
  return {
    ...task,
    ...(split === undefined ? {} : { split }),
    ...(priority === undefined ? {} : { priority }),
    ...(limitRateBps === undefined ? {} : { limitRateBps }),
  }
}

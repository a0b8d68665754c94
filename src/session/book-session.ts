import { resolve } from 'node:path'
import { bookGroups, parseOptions, type BookCommandOptions, type BookInput } from '../config/index.ts'
import type { BookHooks, BookInputs, BookPlan, BookSpec, repackBook as RepackBook } from '../books/index.ts'
import type { DownloadEventBody, JobKind } from '../core/index.ts'
import type { Engine } from '../engine/index.ts'
import type { Source } from '../sources/index.ts'
import type { OpenFolders } from './open-folders.ts'

/** Options of one book job. */
export interface BookJobOptions extends BookInput {
  readonly hooks?: BookHooks
  /** Further sources beside those that come with trawl. */
  readonly sources?: readonly Source[]
  /** Whether inputs may be paths of this machine. Default true. */
  readonly localFiles?: boolean
  readonly signal?: AbortSignal
}

/** The book job of one session. Everything that books need is loaded when the job starts: files need none of it. */
export function createWiredBookKind(parts: {
  readonly engine: () => Promise<Engine>
  readonly folders: OpenFolders
  readonly options: BookCommandOptions
}): JobKind<BookRequest> {
  return {
    name: 'book',
    run: async (request, context) => {
      const [{ createBookKind }, spec, engine] = await Promise.all([
        import('../books/index.ts'),
        bookSpec(request, parts.options),
        parts.engine(),
      ])
      return createBookKind({
        engine,
        openFolder: (path) => parts.folders.openWhenRoom(resolve(path), parts.options, context),
        closeFolder: (folder) => parts.folders.close(folder),
      }).run(spec, context)
    },
  }
}

/** What a caller wants of a book job, before anything of books is loaded. */
export interface BookRequest {
  readonly inputs: BookInputs
  readonly hooks?: BookHooks
  readonly sources?: readonly Source[]
  readonly localFiles?: boolean
}

/** The whole specification of a book job. Throws ERR_CONFIG_INVALID and ERR_USAGE. */
async function bookSpec(request: BookRequest, options: BookCommandOptions): Promise<BookSpec> {
  const [{ readMetadataFile, sourceInputs }, { builtInSources, createSourceRegistry }] = await Promise.all([
    import('../books/index.ts'),
    import('../sources/index.ts'),
  ])
  const { inputs, hooks, sources = [], localFiles = true } = request
  return {
    inputs: sourceInputs(inputs, options),
    options: { ...options, dir: resolve(options.dir) },
    sources: createSourceRegistry([...builtInSources, ...sources]),
    localFiles,
    ...(options.metadata === undefined ? {} : { metadata: await readMetadataFile(options.metadata) }),
    ...(hooks ? { hooks } : {}),
  }
}

/** Options of a caller above those of the session. Throws ERR_CONFIG_INVALID, ERR_CONFIG_UNKNOWN_KEY. */
export function bookOptions(base: object, own: BookInput): BookCommandOptions {
  const names = new Set(bookGroups.flatMap((group) => group.options.map(({ name }) => name)))
  const shared = Object.fromEntries(Object.entries(base).filter(([name]) => names.has(name)))
  return parseOptions(bookGroups, { ...shared, ...own })
}

/** What a book job of these options would make, without fetching pages or writing files. */
export async function* bookPlans(
  request: BookRequest,
  options: BookCommandOptions,
  parts: {
    readonly engine: () => Promise<Engine>
    readonly onNotice: (message: string) => void
    readonly signal: AbortSignal
  },
): AsyncGenerator<BookPlan, void, undefined> {
  const [{ planBooks }, spec, engine] = await Promise.all([
    import('../books/index.ts'),
    bookSpec(request, options),
    parts.engine(),
  ])
  const emit = (event: DownloadEventBody): void => {
    if (event.type === 'job.notice') parts.onNotice(event.message)
  }
  yield* planBooks(spec, { engine, emit, signal: parts.signal })
}

/** The sources that come with trawl. */
export async function listSources(): Promise<readonly Pick<Source, 'name' | 'description' | 'examples'>[]> {
  const { builtInSources } = await import('../sources/index.ts')
  return builtInSources.map(({ name, description, examples }) => ({ name, description, examples }))
}

/** Packs a folder or archive again, without downloading. Throws what `repackBook` of books throws. */
export const repackBook: typeof RepackBook = async (input, options, run) =>
  (await import('../books/index.ts')).repackBook(input, options, run)

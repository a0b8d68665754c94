import { resolve } from 'node:path'
import {
  murmur128,
  toTrawlError,
  TrawlError,
  type ErrorData,
  type HookTools,
  type ItemFilter,
  type ItemSelector,
  type JobContext,
  type JobKind,
  type JobPatch,
  type JobWork,
  type Outcome,
  type PauseRequest,
} from '../core/index.ts'
import type { Engine } from '../engine/index.ts'
import { checkPackOptions } from '../pack/index.ts'
import type { SourceContext, SourceInput } from '../sources/index.ts'
import { makeOutputFolder, ReportFile, stateFolderName, type OutputFolder } from '../storage/index.ts'
import { ArchiveFile } from './archive-file.ts'
import { bookTemplate } from './book-names.ts'
import { BookProgress } from './book-progress.ts'
import type { BookResult, BookSpec } from './book-spec.ts'
import { createItemFilter } from './item-filter.ts'
import { packOptionsOf } from './page-settings.ts'
import { passwordOf } from './password.ts'
import { planWorks } from './plan-works.ts'
import type { PlannedWork } from './planned-work.ts'
import { sourceContext } from './source-context.ts'
import { runWork } from './work-run.ts'

/** What a book job is given by the one that wires it. */
export interface BookJobParts {
  readonly engine: Engine
  readonly openFolder: (path: string) => Promise<OutputFolder>
  readonly closeFolder: (folder: OutputFolder) => void
}

/** The `book` job: pages in order, checked, packed; none silently missing. */
export function createBookKind(parts: BookJobParts): JobKind<BookSpec> {
  return {
    name: 'book',
    run: async (spec, context) => {
      const password = passwordOf(spec.options)
      for (const format of spec.options.formats) {
        checkPackOptions(format, packOptionsOf(spec.options, password))
      }
      const filter =
        spec.options.filter === undefined ? undefined : await createItemFilter(spec.options.filter)
      return new BookWork({ parts, spec, context, password, filter })
    },
  }
}

interface WorkParts {
  readonly parts: BookJobParts
  readonly spec: BookSpec
  readonly context: JobContext
  readonly password: string | undefined
  readonly filter: Awaited<ReturnType<typeof createItemFilter>> | undefined
}

class BookWork implements JobWork {
  readonly done: Promise<void>
  readonly #parts: WorkParts
  readonly #progress = new BookProgress()
  readonly #report: ReportFile | undefined
  readonly #archive: ArchiveFile | undefined
  readonly #sources: SourceContext
  readonly #template: ReturnType<typeof bookTemplate>
  readonly #errors: TrawlError[] = []
  /** Ends what sources ask for: a page under way may end when the job is drained, a document leads to new ones. */
  readonly #reading = new AbortController()
  #works = 0
  #draining = false
  #paused = false

  constructor(parts: WorkParts) {
    this.#parts = parts
    const { spec, context } = parts
    const { options } = spec
    this.#template = bookTemplate(options)
    this.#archive = options.archive === undefined ? undefined : new ArchiveFile(resolve(options.archive))
    this.#report =
      options.report === undefined
        ? undefined
        : new ReportFile(
            options.report,
            spec.inputs.map(({ text }) => text),
          )
    const signal = AbortSignal.any([context.signal, this.#reading.signal])
    this.#sources = sourceContext(spec, parts.parts.engine, { emit: (event) => context.emit(event), signal })
    this.done = this.#run()
  }

  progress: JobWork['progress'] = () => this.#progress.progress()
  activeItems: JobWork['activeItems'] = (limit) => this.#progress.activeItems(limit)
  stats: JobWork['stats'] = () => this.#progress.stats()

  async *items(filter?: ItemFilter): AsyncIterable<Outcome> {
    for (const outcome of this.#progress.outcomes()) {
      if (filter?.status === undefined || filter.status === outcome.status) yield outcome
    }
  }

  drain(): void {
    this.#draining = true
    this.#reading.abort(new TrawlError('ERR_CANCELLED', 'the job starts nothing new'))
    for (const { run } of this.#progress.fetchers()) run.drain()
  }

  pause(which: PauseRequest = {}): void {
    if (which.host === undefined && which.id === undefined) this.#paused = true
    for (const fetcher of this.#progress.fetchers()) fetcher.run.pause(fetcher.inRun(which))
  }

  resume(which: ItemSelector = {}): void {
    if (which.host === undefined && which.id === undefined) this.#paused = false
    for (const fetcher of this.#progress.fetchers()) fetcher.run.resume(fetcher.inRun(which))
  }

  cancel(which: PauseRequest): void {
    for (const fetcher of this.#progress.fetchers()) fetcher.run.cancel(fetcher.inRun(which))
  }

  update(patch: JobPatch, which?: ItemSelector): void {
    if (which === undefined) this.#parts.parts.engine.update(patch)
    for (const fetcher of this.#progress.fetchers()) fetcher.run.update(patch, which && fetcher.inRun(which))
  }

  async #run(): Promise<void> {
    const { spec, context, filter } = this.#parts
    try {
      const works = planWorks({
        spec,
        contextOf: () => this.#sources,
        onError: (input, error) => this.#failedInput(input, error),
        ...(filter ? { filter } : {}),
      })
      await this.#runWorks(works)
      this.#progress.plannedAll()
      if (context.signal.aborted) throw new TrawlError('ERR_CANCELLED', 'the job was cancelled')
      const [only] = this.#errors
      if (only && this.#works === 0 && spec.inputs.length === 1) throw only
      if (this.#works === 0 && this.#errors.length === 0 && !this.#draining) {
        throw new TrawlError('ERR_SOURCE_EMPTY', `${spec.inputs[0]?.text ?? ''}: there are no pages`)
      }
    } finally {
      await this.#call((tools) => spec.hooks?.onFinish?.(this.stats(), tools))
      this.#progress.end()
      this.#report?.close()
    }
  }

  /** Works that are cut to size may go side by side; the pages of an uncut one come while its source is read. */
  async #runWorks(works: AsyncIterable<PlannedWork>): Promise<void> {
    const { by, jobs } = this.#parts.spec.options
    const most = by === 'book' ? 1 : jobs.chapters === 'auto' ? 2 : jobs.chapters
    const active = new Set<Promise<void>>()
    for await (const work of works) {
      if (this.#draining || this.#parts.context.signal.aborted) break
      const running = this.#runOne(work).finally(() => active.delete(running))
      active.add(running)
      if (active.size >= most) await Promise.race(active)
    }
    await Promise.all(active)
  }

  async #runOne(work: PlannedWork): Promise<void> {
    const { parts, spec, context, password } = this.#parts
    this.#works++
    const key = `${work.source.name} ${work.id}`
    if (this.#archive?.has(key)) {
      context.emit({ type: 'job.notice', message: `${work.metadata.title}: in the archive already` })
      return
    }
    context.emit({ type: 'job.phase', phase: 'book', detail: work.metadata.title })
    // A folder that cannot be had is told at once, and of all works.
    makeOutputFolder(resolve(spec.options.dir), stateFolderName)
    let result: BookResult
    try {
      result = await runWork({
        spec,
        work,
        engine: parts.engine,
        context: this.#sources,
        template: this.#template,
        password,
        openFolder: parts.openFolder,
        closeFolder: parts.closeFolder,
        onFetcher: (fetcher) => {
          if (this.#draining) fetcher.run.drain()
          if (this.#paused) fetcher.run.pause()
          return this.#progress.add(fetcher)
        },
        onPlanned: () => this.#progress.planned(),
        onOutcome: (outcome, page) =>
          this.#ended(outcome, { book: work.metadata.title, page: page.number, ...label(page) }),
        onEvent: (event) => context.emit(event),
        itemEvents: () => context.wantsItemEvents(),
        signal: context.signal,
      })
    } catch (thrown) {
      const error = toTrawlError(thrown)
      if (error.code === 'ERR_CANCELLED') return
      if (endsAll.has(error.scope)) throw error
      result = {
        id: work.id,
        title: work.metadata.title,
        status: 'failed',
        files: [],
        pages: 0,
        missing: [],
        error: error.toJSON(),
      }
      this.#failedWhole(work.id, work.input, error)
    }
    if (isFinished(result)) this.#archive?.add(key)
    this.#tell(result)
    await this.#call((tools) => spec.hooks?.afterBook?.(result, tools))
  }

  /** What a function of the user throws is told, and nothing else: the books are no worse for it. */
  async #call(hook: (tools: HookTools) => unknown): Promise<void> {
    const notice = (message: string): void => this.#parts.context.emit({ type: 'job.notice', message })
    try {
      await hook({ notice })
    } catch (thrown) {
      notice(`a hook failed: ${thrown instanceof Error ? thrown.message : String(thrown)}`)
    }
  }

  #tell(result: BookResult): void {
    const { context } = this.#parts
    if (result.status === 'incomplete' && result.error) {
      const kept =
        result.files.length > 0
          ? `made ${result.files.join(', ')}`
          : 'no file was made; what was fetched is kept'
      context.emit({ type: 'job.notice', message: kept, error: result.error })
    } else if (result.status === 'skipped') {
      for (const file of result.files)
        context.emit({ type: 'job.notice', message: `skipped: ${file} exists` })
    } else if (result.status === 'done' || result.status === 'unchanged') {
      const what = result.status === 'done' ? 'made' : 'nothing new in'
      for (const file of result.files)
        context.emit({ type: 'job.notice', message: `${what} ${file} (${counted(result.pages)})` })
    }
  }

  #ended(outcome: Outcome, extra: PageName): void {
    this.#progress.ended(outcome)
    this.#report?.add(outcome, { ...extra })
    const { context } = this.#parts
    if (outcome.status === 'failed' || context.wantsItemEvents())
      context.emit({ type: 'task.finished', outcome: withPage(outcome, extra) })
  }

  #failedInput(input: SourceInput, thrown: unknown): void {
    const error = toTrawlError(thrown)
    if (error.code === 'ERR_CANCELLED') return
    this.#errors.push(error)
    // Of one input alone, the error is that of the whole job.
    if (this.#works === 0 && this.#parts.spec.inputs.length === 1) return
    this.#failedWhole(murmur128(`input\n${input.text}`), input.text, error)
  }

  #failedWhole(id: string, input: string, error: TrawlError): void {
    const data: ErrorData = error.toJSON()
    const outcome: Outcome = {
      id,
      ordinal: 0,
      input: input.length > 300 ? `${input.slice(0, 300)}...` : input,
      status: 'failed',
      sizeBytes: 0,
      fetchedBytes: 0,
      durationMs: 0,
      attempts: 1,
      error: data,
    }
    this.#progress.failedWhole(outcome)
    this.#report?.add(outcome)
    this.#parts.context.emit({ type: 'task.finished', outcome })
  }
}

/** What may be in an archive is whole, and nothing in it is likely to be no page. */
function isFinished({ status, suspect }: BookResult): boolean {
  return (status === 'done' || status === 'unchanged') && suspect !== true
}

/** Which page of which book an outcome is of. */
interface PageName {
  readonly book: string
  readonly page: number
  readonly label?: string
}

/** People look for a page by its number; the report has fields for it. */
function withPage(outcome: Outcome, { page }: PageName): Outcome {
  const { error } = outcome
  if (error === undefined) return outcome
  return { ...outcome, error: { ...error, message: `page ${page}: ${error.message}` } }
}

function counted(pages: number): string {
  return pages === 1 ? '1 page' : `${pages} pages`
}

/** Scopes of errors that no other work would be spared. */
const endsAll: ReadonlySet<string> = new Set(['volume', 'process'])

function label(page: { readonly label?: string }): { readonly label?: string } {
  return page.label === undefined ? {} : { label: page.label }
}

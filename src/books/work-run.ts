import { mkdirSync, rmdirSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { toTrawlError, TrawlError, type DownloadEventBody, type Outcome } from '../core/index.ts'
import { retryOptionsOf, type Engine } from '../engine/index.ts'
import { isBlankImage, type PagePlan } from '../images/index.ts'
import {
  createPackFan,
  createPackWriter,
  type PackFan,
  type PackedPage,
  type PackPage,
} from '../pack/index.ts'
import type { SourceContext } from '../sources/index.ts'
import type { NameTemplate, OutputFolder } from '../storage/index.ts'
import { bookRecordPath, readBookRecord, type BookRecord, type PageRecord } from './book-record.ts'
import type { BookResult, BookSpec, MissingPage } from './book-spec.ts'
import { checkSet, type SetFindings } from './check-set.ts'
import { createKeptPages } from './kept-pages.ts'
import { missingPageImage } from './missing-page-image.ts'
import { createPageCheck } from './page-check.ts'
import { PageFetcher, PageLost, Unfinished } from './page-fetcher.ts'
import { PageMaker, urlOf, type MadePage } from './page-maker.ts'
import { packOptionsOf, pagePlanOf, settingsFingerprint } from './page-settings.ts'
import { inOrder, type PlannedPage, type PlannedWork } from './planned-work.ts'
import { absoluteOf } from './publish-book.ts'
import { publishWork, stagedContainer, takenBefore } from './publish-work.ts'
import { commonHeaders } from './source-context.ts'
import { defaultWindow, startPages, type PageState } from './start-pages.ts'
import { isUnchanged, unchangedOutcomes } from './unchanged-work.ts'

export interface WorkRunOptions {
  readonly spec: BookSpec
  readonly work: PlannedWork
  readonly engine: Engine
  readonly context: SourceContext
  readonly template: NameTemplate
  readonly password: string | undefined
  readonly openFolder: (path: string) => Promise<OutputFolder>
  readonly closeFolder: (folder: OutputFolder) => void
  /** Told of the fetcher while it works, for progress. */
  readonly onFetcher: (fetcher: PageFetcher) => () => void
  /** A page is planned. */
  readonly onPlanned: () => void
  /** A page has ended. */
  readonly onOutcome: (outcome: Outcome, page: { readonly number: number; readonly label?: string }) => void
  readonly onEvent: (event: DownloadEventBody) => void
  readonly itemEvents: () => boolean
  readonly signal: AbortSignal
}

/** Makes one work: fetches what is missing, packs, names, records. Never throws for single pages. */
export async function runWork(options: WorkRunOptions): Promise<BookResult> {
  return new WorkRun(options).run()
}

class WorkRun {
  readonly #options: WorkRunOptions
  readonly #dir: string
  readonly #recordPath: string
  readonly #before: BookRecord | undefined
  readonly #plan: PagePlan
  readonly #settings: string
  readonly #pages: PageRecord[] = []
  readonly #places: PackedPage[][]
  readonly #missing: MissingPage[] = []
  /** Paths of checked originals by SHA-256; the first of those that are alike. */
  readonly #images = new Map<string, string>()
  #fan: PackFan | undefined
  #unfinished = false
  #packed = 0
  #staging = ''

  constructor(options: WorkRunOptions) {
    this.#options = options
    const { spec, work } = options
    this.#dir = resolve(spec.options.dir)
    this.#recordPath = bookRecordPath(this.#dir, work.id)
    this.#before = readBookRecord(this.#recordPath)
    this.#plan = pagePlanOf(spec.options, work.metadata.direction)
    this.#settings = settingsFingerprint(this.#plan, spec.options, work.metadata)
    this.#places = spec.options.formats.map(() => [])
  }

  async run(): Promise<BookResult> {
    const { spec, work, template } = this.#options
    const taken = await takenBefore({ spec, work, template, dir: this.#dir, before: this.#before })
    if (taken) return { ...this.#result(), status: 'skipped', files: taken }
    let pages: AsyncIterable<PlannedPage> = work.pages
    if (this.#before) {
      const all: PlannedPage[] = []
      for await (const page of work.pages) all.push(page)
      if (this.#isUnchanged(this.#before, all)) return this.#unchanged(this.#before)
      pages = inOrder(all)
    }
    this.#staging = join(this.#dir, '.trawl', 'staging', work.id)
    const folder = await this.#options.openFolder(this.#staging)
    try {
      const result = await this.#make(pages, folder)
      if (result.status === 'done' || result.status === 'skipped') this.#clean(folder)
      else this.#options.closeFolder(folder)
      return result
    } catch (error) {
      await this.#fan?.abort()
      this.#options.closeFolder(folder)
      throw error
    }
  }

  async #make(pages: AsyncIterable<PlannedPage>, folder: OutputFolder): Promise<BookResult> {
    const { spec, work, engine, signal, onEvent, itemEvents } = this.#options
    const { options } = spec
    const check = createPageCheck({ level: options.check, refused: options.refuseImage ?? [], signal })
    const fetcher = new PageFetcher({
      engine,
      folder,
      check,
      retry: retryOptionsOf(options),
      spaceWaitMs: options.spaceWaitMs,
      onEvent,
      itemEvents,
      signal,
      ...(options.maxSizeBytes === undefined ? {} : { maxSizeBytes: options.maxSizeBytes }),
    })
    const leave = this.#options.onFetcher(fetcher)
    const maker = new PageMaker({
      fetcher,
      source: work.source,
      context: this.#options.context,
      dir: this.#staging,
      plan: this.#plan,
      check,
      headers: commonHeaders(options),
      keptOriginal: createKeptPages(this.#before, {
        dir: this.#dir,
        into: join(this.#staging, 'kept'),
        refused: options.refuseImage ?? [],
      }),
      signal,
    })
    try {
      const { jobs } = options
      const started = startPages(pages, {
        window: jobs.pages === 'auto' ? defaultWindow : jobs.pages,
        make: (page, key, index) => {
          this.#options.onPlanned()
          return maker.make(page, key, index)
        },
        signal,
      })
      await this.#packAll(started)
    } finally {
      fetcher.close()
      await fetcher.done
      leave()
    }
    return this.#finish()
  }

  async #packAll(started: AsyncIterable<readonly PageState[]>): Promise<void> {
    for await (const states of started) {
      for (const state of states) {
        try {
          await this.#pack(state, await state.made)
        } catch (error) {
          await this.#lost(state, error)
        }
        state.finished()
      }
    }
  }

  async #pack(state: PageState, made: MadePage): Promise<void> {
    const { planned, key } = state
    const { checked } = made
    const { facts } = checked
    for (const [i, part] of made.parts.entries()) {
      const added = await this.#add({
        path: part.path,
        facts: part.facts,
        index: this.#packed,
        ...labels(planned, i),
        ...(made.parts.length === 1 && checked.sha256 !== undefined && part.path === made.parts[0]?.path
          ? digestOf(this.#plan, checked.sha256)
          : {}),
      })
      if (added) this.#packed++
    }
    if (checked.sha256 !== undefined && !this.#images.has(checked.sha256))
      this.#images.set(checked.sha256, made.original)
    this.#pages.push({
      key,
      url: urlOf(planned.page),
      ...labels(planned, 0),
      ...(checked.sha256 === undefined ? {} : { sha256: checked.sha256 }),
      sizeBytes: facts.sizeBytes,
      format: facts.format,
      widthPx: facts.widthPx,
      heightPx: facts.heightPx,
      checked: checked.checked,
      ...(checked.suspicious ? { suspicious: checked.suspicious } : {}),
      parts: made.parts.length,
    })
    this.#tell(state, {
      status: made.fromBefore ? 'skipped' : 'ok',
      sizeBytes: facts.sizeBytes,
      fetchedBytes: made.fetchedBytes,
      attempts: made.attempts,
      durationMs: made.durationMs,
      ...(made.fromBefore ? { skipReason: 'finished-before' as const } : {}),
      ...(checked.sha256 === undefined ? {} : { digest: { algorithm: 'sha-256', value: checked.sha256 } }),
    })
  }

  /** Adds a page to all containers; false where there will be none. */
  async #add(page: PackPage): Promise<boolean> {
    if (this.#missing.length > 0 && this.#options.spec.options.partial === 'strict') return false
    if (this.#unfinished) return false
    this.#fan ??= this.#openFan()
    const places = await this.#fan.add(page)
    for (const [i, place] of places.entries()) this.#places[i]?.push(place)
    return true
  }

  #openFan(): PackFan {
    const { spec, work, password } = this.#options
    const { pageCount } = work
    const common = packOptionsOf(spec.options, password)
    const writers = spec.options.formats.map((format) => {
      const path = stagedContainer(this.#staging, format)
      rmSync(dirname(path), { recursive: true, force: true })
      mkdirSync(dirname(path), { recursive: true })
      return createPackWriter(format, {
        ...common,
        path,
        ...(pageCount === undefined ? {} : { pageCount }),
      })
    })
    return createPackFan(writers)
  }

  async #lost(state: PageState, thrown: unknown): Promise<void> {
    const error = thrown instanceof Unfinished ? undefined : toTrawlError(thrown)
    if (error === undefined || error.code === 'ERR_CANCELLED') {
      this.#unfinished = true
      this.#tell(state, { status: 'unfinished' })
      return
    }
    // What concerns the disk or the container is no matter of one page.
    if (error.scope !== 'task' && error.scope !== 'host') throw error
    const { planned, key, index } = state
    const url = urlOf(planned.page)
    this.#missing.push({
      number: index + 1,
      url,
      error: error.toJSON(),
      ...(planned.page.label === undefined ? {} : { label: planned.page.label }),
    })
    const { partial } = this.#options.spec.options
    let parts = 0
    if (partial === 'placeholder' && !this.#unfinished) {
      await this.#addPlaceholder(state, error)
      parts = 1
    } else if (partial === 'strict') await this.#fan?.abort()
    this.#pages.push({ key, url, ...labels(planned, 0), missing: error.toJSON(), parts })
    const { attempts, durationMs } = thrown instanceof PageLost ? thrown : { attempts: 0, durationMs: 0 }
    this.#tell(state, { status: 'failed', error: error.toJSON(), attempts, durationMs })
  }

  async #addPlaceholder({ planned, index, key }: PageState, error: TrawlError): Promise<void> {
    const { expectedWidthPx, expectedHeightPx } = planned.page
    const before = this.#pages.findLast((page) => page.widthPx !== undefined)
    const number = `page ${index + 1}`
    const named = planned.page.label === undefined ? number : `${number} (${planned.page.label})`
    const image = await missingPageImage(join(this.#staging, 'placeholders'), {
      key,
      lines: [`${number} missing`, error.message],
      widthPx: expectedWidthPx ?? before?.widthPx,
      heightPx: expectedHeightPx ?? before?.heightPx,
    })
    await this.#add({
      ...image,
      index: this.#packed++,
      placeholder: `${named}: ${error.message}`,
      ...labels(planned, 0),
    })
  }

  #tell(state: PageState, outcome: Partial<Outcome> & Pick<Outcome, 'status'>): void {
    const { label } = state.planned.page
    this.#options.onOutcome(
      {
        id: state.key,
        ordinal: state.index,
        // A page without an address is one of its manifest.
        input: urlOf(state.planned.page) || this.#options.work.input,
        sizeBytes: 0,
        fetchedBytes: 0,
        durationMs: 0,
        attempts: 0,
        ...outcome,
      },
      { number: state.index + 1, ...(label === undefined ? {} : { label }) },
    )
  }

  async #finish(): Promise<BookResult> {
    const { spec, work } = this.#options
    const { partial } = spec.options
    const base = this.#result()
    if (this.#unfinished || this.#options.signal.aborted) {
      await this.#fan?.abort()
      return { ...base, status: 'unfinished' }
    }
    if (this.#pages.length === 0) {
      throw new TrawlError('ERR_SOURCE_EMPTY', `${work.input}: there are no pages`)
    }
    if (this.#missing.length > 0 && (partial === 'strict' || this.#packed === 0)) {
      await this.#fan?.abort()
      return { ...base, status: 'incomplete', error: this.#incomplete().toJSON() }
    }
    this.#options.onEvent({ type: 'job.phase', phase: 'finishing', detail: work.metadata.title })
    const found = await this.#lookAtAll()
    const made = (await this.#fan?.finish(this.#metadata())) ?? []
    const files = await this.#publish(
      made.map((file) => file.sizeBytes),
      found,
    )
    if (files.length === 0) return { ...base, status: 'skipped' }
    const whole = { ...base, files, ...notesOf(found) }
    return this.#missing.length === 0
      ? { ...whole, status: 'done' }
      : { ...whole, status: 'incomplete', error: this.#incomplete().toJSON() }
  }

  #metadata(): PlannedWork['metadata'] {
    const { metadata } = this.#options.work
    if (this.#missing.length === 0) return metadata
    const note = `Incomplete: ${this.#missing.length} of ${this.#pages.length} pages are missing.`
    return { ...metadata, summary: metadata.summary === undefined ? note : `${note}\n${metadata.summary}` }
  }

  #incomplete(): TrawlError {
    const { title } = this.#options.work.metadata
    const count = this.#missing.length
    const isStrict = this.#options.spec.options.partial === 'strict'
    return new TrawlError(
      'ERR_BOOK_INCOMPLETE',
      `${title}: ${count} of ${this.#pages.length} pages ${count === 1 ? 'is' : 'are'} missing`,
      isStrict ? {} : { hint: 'Run the same command again: only what is missing is fetched.' },
    )
  }

  #publish(sizes: readonly number[], found: SetFindings): Promise<readonly string[]> {
    const { spec, work, template } = this.#options
    return publishWork({
      spec,
      work,
      template,
      dir: this.#dir,
      staging: this.#staging,
      recordPath: this.#recordPath,
      before: this.#before,
      settings: this.#settings,
      pages: this.#pages,
      missing: this.#missing,
      found,
      made: sizes.map((sizeBytes, i) => ({ sizeBytes, places: this.#places[i] ?? [] })),
    })
  }

  /** What is odd about the pages as a whole is told before the book is made of them. */
  async #lookAtAll(): Promise<SetFindings> {
    const { spec, work, onEvent, signal } = this.#options
    const { pages, chapters, filter } = spec.options
    const found = await checkSet(this.#pages, {
      whole: pages === undefined && chapters === undefined && filter === undefined,
      isBlank: async (sha256) => {
        const path = this.#images.get(sha256)
        return path !== undefined && isBlankImage(path, { signal })
      },
      ...(work.pageCount === undefined ? {} : { announced: work.pageCount }),
    })
    for (const note of found.notes)
      onEvent({ type: 'job.notice', message: `${work.metadata.title}: ${note}` })
    return found
  }

  #isUnchanged(before: BookRecord, pages: readonly PlannedPage[]): boolean {
    if (this.#options.spec.options.onExists === 'overwrite') return false
    const { refuseImage: refused = [] } = this.#options.spec.options
    return isUnchanged(before, { pages, settings: this.#settings, dir: this.#dir, refused })
  }

  #unchanged(before: BookRecord): BookResult {
    for (const { outcome, ...page } of unchangedOutcomes(before)) {
      this.#options.onPlanned()
      this.#options.onOutcome(outcome, page)
    }
    const files = before.containers.map(({ path }) => absoluteOf(path, this.#dir))
    const { notes = [], suspect = false } = before
    return {
      ...this.#result(),
      ...notesOf({ notes, suspect }),
      status: 'unchanged',
      files,
      pages: before.pages.length,
    }
  }

  #result(): Omit<BookResult, 'status'> {
    const { work } = this.#options
    return {
      id: work.id,
      title: work.metadata.title,
      files: [],
      pages: this.#pages.length,
      missing: this.#missing,
    }
  }

  #clean(folder: OutputFolder): void {
    this.#options.closeFolder(folder)
    rmSync(this.#staging, { recursive: true, force: true })
    try {
      // Only when it was the last one.
      rmdirSync(dirname(this.#staging))
    } catch {
      // Other works are in it.
    }
  }
}

function labels({ page, chapters }: PlannedPage, part: number): Pick<PackPage, 'label' | 'chapters' | 'dpi'> {
  return {
    ...(page.label === undefined ? {} : { label: page.label }),
    ...(page.dpi === undefined ? {} : { dpi: page.dpi }),
    ...(part === 0 && chapters.length > 0 ? { chapters } : {}),
  }
}

/** Only an untouched page has the digest of its original. */
function digestOf(plan: PagePlan, sha256: string): Pick<PackPage, 'digest'> {
  return Object.keys(plan).length > 0 ? {} : { digest: { algorithm: 'sha-256', value: sha256 } }
}

function notesOf({ notes, suspect }: SetFindings): Pick<BookResult, 'notes' | 'suspect'> {
  return { ...(notes.length > 0 ? { notes } : {}), ...(suspect ? { suspect } : {}) }
}

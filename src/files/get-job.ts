import {
  describeLocator,
  toTrawlError,
  type SkipReason,
  type TrawlError,
  type DownloadTask,
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
import {
  FolderDestination,
  retryOptionsOf,
  type EntityFacts,
  type Engine,
  type InputTask,
  type Run,
} from '../engine/index.ts'
import { ReportFile, type OutputFolder } from '../storage/index.ts'
import { checkExisting } from './check-existing.ts'
import { destinationOptions } from './destination-options.ts'
import { createFileNamer } from './file-name.ts'
import type { GetHooks, GetInputs, GetSpec } from './get-spec.ts'
import { createTaskFetcher } from './metalink-documents.ts'
import { createTaskReader, type TaskReader } from './read-requests.ts'
import { resolverOf } from './resolve-places.ts'
import { StreamDestination } from './stream-destination.ts'

/** What a get job is given by the one that wires it. */
export interface GetJobParts {
  readonly engine: Engine
  /** Opens the output folder, or joins another job of this process that has it open. */
  readonly openFolder: (path: string) => OutputFolder
  readonly closeFolder: (folder: OutputFolder) => void
}

/** The `get` job: files, exactly as the origin has them. */
export function createGetKind(parts: GetJobParts): JobKind<GetSpec> {
  return { name: 'get', run: async (spec, context) => new GetWork(parts, spec, context) }
}

class GetWork implements JobWork {
  readonly done: Promise<void>
  readonly #parts: GetJobParts
  readonly #spec: GetSpec
  readonly #reader: TaskReader
  readonly #run: Run
  readonly #folder: OutputFolder | undefined
  readonly #context: JobContext
  readonly #report: ReportFile | undefined
  #reportError: TrawlError | undefined
  readonly #tools: HookTools
  readonly #destination: FolderDestination | StreamDestination

  constructor(parts: GetJobParts, spec: GetSpec, context: JobContext) {
    this.#parts = parts
    this.#spec = spec
    this.#context = context
    this.#tools = { notice: (message) => context.emit({ type: 'job.notice', message }) }
    const { options } = spec
    const nameOf = createFileNamer({
      startedMs: Date.now(),
      ...(options.name === undefined ? {} : { template: options.name }),
    })
    if (spec.output) {
      this.#destination = new StreamDestination(spec.output)
    } else {
      const folder = parts.openFolder(options.dir)
      this.#folder = folder
      this.#destination = this.#closing(
        () => new FolderDestination({ ...destinationOptions(spec), folder, nameOf, divert: this.#divert }),
      )
    }
    this.#tellRecovery()
    this.#report = this.#closing(() =>
      options.report === undefined ? undefined : new ReportFile(options.report, options.inputFile),
    )
    const retry = retryOptionsOf(options)
    this.#reader = createTaskReader(spec, {
      notice: (message) => context.emit({ type: 'job.notice', message }),
      fetchOfTask: createTaskFetcher(parts.engine.fetchDocument, retry),
      signal: context.signal,
    })
    this.#run = parts.engine.run(this.#wanted(spec.tasks ?? this.#reader.read()), {
      destination: this.#destination,
      retry,
      spaceWaitMs: options.spaceWaitMs,
      smallFirst: options.smallFirst,
      onEvent: (event) => context.emit(event),
      itemEvents: () => context.wantsItemEvents(),
      ...(spec.resolvePlaces ? { resolver: resolverOf(spec.resolvePlaces) } : {}),
      signal: context.signal,
    })
    this.done = this.#consume()
  }

  progress: JobWork['progress'] = () => this.#run.progress()
  activeItems: JobWork['activeItems'] = (limit) => this.#run.activeItems(limit)
  stats: JobWork['stats'] = () => this.#run.stats()

  items(filter?: ItemFilter): AsyncIterable<Outcome> {
    return this.#destination.outcomes(filter)
  }

  drain(): void {
    this.#run.drain()
  }

  pause(which?: PauseRequest): void {
    this.#run.pause(which)
  }

  resume(which?: ItemSelector): void {
    this.#run.resume(which)
  }

  cancel(which: PauseRequest): void {
    this.#run.cancel(which)
  }

  update(patch: JobPatch, which?: ItemSelector): void {
    if (which === undefined) this.#parts.engine.update(patch)
    this.#run.update(patch, which)
  }

  add(inputs: unknown): void {
    this.#run.add(this.#wanted(this.#reader.add(inputs as GetInputs)))
  }

  /** A Metalink gives way to the files that it lists. */
  readonly #divert = (task: DownloadTask, { contentType }: EntityFacts): SkipReason | undefined => {
    if (!this.#reader.isFollowed(task, contentType)) return undefined
    this.#run.add(this.#wanted(this.#reader.follow(task)))
    return 'followed'
  }

  /** Tasks after the caller's hook and a look at what is there already. */
  #wanted(tasks: AsyncIterable<readonly InputTask[]>): AsyncIterable<readonly InputTask[]> {
    const { hooks, options } = this.#spec
    const filtered = filterTasks(tasks, hooks?.beforeItem)
    const folder = this.#folder
    if (!folder || options.onExists === 'overwrite' || options.onExists === 'rename') return filtered
    const notice = this.#tools.notice
    return checkExisting(filtered, { folder, all: options.verifyExisting, notice })
  }

  #tellRecovery(): void {
    if (!('recovery' in this.#destination)) return
    const { checked, broken } = this.#destination.recovery
    if (broken === 0) return
    const message = `the system went down while files were written: ${broken} of the last ${checked} are not whole and come again`
    this.#context.emit({ type: 'job.notice', message })
  }

  /** A step of the start; the folder is free again where it fails. */
  #closing<T>(step: () => T): T {
    try {
      return step()
    } catch (error) {
      if (this.#folder) this.#parts.closeFolder(this.#folder)
      throw error
    }
  }

  /** Reads the outcomes to the last one, whatever happens: only then may the folder be closed. */
  async #consume(): Promise<void> {
    const { hooks } = this.#spec
    try {
      for await (const batch of this.#run.batches()) {
        if (!this.#report && !hooks) continue
        for (const outcome of batch) await this.#settled(outcome)
      }
      await this.#call(() => hooks?.onFinish?.(this.#run.stats(), this.#tools))
    } finally {
      this.#closeReport()
      if (this.#destination instanceof FolderDestination) this.#destination.close()
      if (this.#folder) this.#parts.closeFolder(this.#folder)
    }
    if (this.#reportError) throw this.#reportError
  }

  async #settled(outcome: Outcome): Promise<void> {
    this.#addToReport(outcome)
    const { hooks } = this.#spec
    if (!hooks) return
    if (outcome.status === 'failed') await this.#call(() => hooks.onError?.(outcome, this.#tools))
    await this.#call(() => hooks.afterItem?.(outcome, this.#tools))
  }

  /** What a function of the user throws is told, and nothing else: the files are no worse for it. */
  async #call(hook: () => unknown): Promise<void> {
    try {
      await hook()
    } catch (thrown) {
      this.#tools.notice(`a hook failed: ${thrown instanceof Error ? thrown.message : String(thrown)}`)
    }
  }

  #addToReport(outcome: Outcome): void {
    if (this.#reportError) return
    try {
      this.#report?.add(outcome, this.#whereOf(outcome))
    } catch (error) {
      this.#reportFailed(error)
    }
  }

  /** The folder, of items that `trawl retry` may be asked for. */
  #whereOf({ status }: Outcome): { readonly dir?: string; readonly name?: string } {
    if ((status !== 'failed' && status !== 'unfinished') || !this.#folder) return {}
    const { name } = this.#spec.options
    return { dir: this.#folder.path, ...(name === undefined ? {} : { name }) }
  }

  #closeReport(): void {
    try {
      this.#report?.close()
    } catch (error) {
      this.#reportFailed(error)
    }
  }

  /** The files go on; that the report is not whole is told at once and decides the exit code. */
  #reportFailed(thrown: unknown): void {
    if (this.#reportError) return
    const error = toTrawlError(thrown, 'ERR_IO')
    this.#reportError = error
    this.#context.emit({ type: 'job.notice', message: 'the report is not complete', error: error.toJSON() })
  }
}

/** Asks the caller's hook about each task before it is started. */
function filterTasks(
  tasks: AsyncIterable<readonly InputTask[]>,
  wants: GetHooks['beforeItem'],
): AsyncIterable<readonly InputTask[]> {
  return wants === undefined ? tasks : askEach(tasks, wants)
}

async function* askEach(
  tasks: AsyncIterable<readonly InputTask[]>,
  wants: NonNullable<GetHooks['beforeItem']>,
): AsyncGenerator<readonly InputTask[], void, undefined> {
  for await (const batch of tasks) {
    const asked: InputTask[] = []
    for (const task of batch) asked.push('locator' in task ? await ask(task, wants) : task)
    yield asked
  }
}

/** A hook that throws refuses its file, and no other. */
async function ask(task: DownloadTask, wants: NonNullable<GetHooks['beforeItem']>): Promise<InputTask> {
  const { id, ordinal } = task
  const input = describeLocator(task.locator)
  try {
    return (await wants(task)) === false ? { id, ordinal, input, filtered: true } : task
  } catch (error) {
    return { id, ordinal, input, refused: toTrawlError(error) }
  }
}

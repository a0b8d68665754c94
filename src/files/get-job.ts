import {
  type ItemFilter,
  type ItemSelector,
  type JobContext,
  type JobKind,
  type JobLimits,
  type JobWork,
  type Outcome,
} from '../core/index.ts'
import { FolderDestination, type Engine, type Run } from '../engine/index.ts'
import { ReportFile, type OutputFolder } from '../storage/index.ts'
import { createFileNamer } from './file-name.ts'
import type { GetSpec } from './get-spec.ts'
import { readTasks } from './read-requests.ts'
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
  readonly #run: Run
  readonly #folder: OutputFolder | undefined
  readonly #report: ReportFile | undefined
  readonly #destination: FolderDestination | StreamDestination

  constructor(parts: GetJobParts, spec: GetSpec, context: JobContext) {
    this.#parts = parts
    this.#spec = spec
    const { options } = spec
    const nameOf = createFileNamer({
      startedMs: Date.now(),
      ...(options.name === undefined ? {} : { template: options.name }),
    })
    if (spec.output) {
      this.#destination = new StreamDestination(spec.output)
    } else {
      this.#folder = parts.openFolder(options.dir)
      this.#destination = new FolderDestination({ ...limitsOf(options), folder: this.#folder, nameOf })
    }
    try {
      this.#report = options.report === undefined ? undefined : new ReportFile(options.report)
    } catch (error) {
      if (this.#folder) parts.closeFolder(this.#folder)
      throw error
    }
    const tasks = readTasks(spec, {
      notice: (message) => context.emit({ type: 'job.notice', message }),
      signal: context.signal,
    })
    this.#run = parts.engine.run(tasks, {
      destination: this.#destination,
      retry: {
        retries: options.retries,
        baseDelayMs: options.retryDelayMs,
        maxDelayMs: options.retryMaxDelayMs,
        maxRetryAfterMs: options.retryAfterMaxMs,
      },
      spaceWaitMs: options.spaceWaitMs,
      onEvent: (event) => context.emit(event),
      itemEvents: () => context.wantsItemEvents(),
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

  pause(which?: ItemSelector): void {
    this.#run.pause(which)
  }

  resume(which?: ItemSelector): void {
    this.#run.resume(which)
  }

  cancel(which: ItemSelector): void {
    this.#run.cancel(which)
  }

  update(limits: JobLimits): void {
    this.#parts.engine.update(limits)
  }

  async #consume(): Promise<void> {
    const { hooks } = this.#spec
    try {
      for await (const batch of this.#run.batches()) {
        if (!this.#report && !hooks) continue
        for (const outcome of batch) await this.#settled(outcome)
      }
      await hooks?.onFinish?.(this.#run.stats())
    } finally {
      this.#report?.close()
      if (this.#folder) this.#parts.closeFolder(this.#folder)
    }
  }

  async #settled(outcome: Outcome): Promise<void> {
    this.#report?.add(outcome)
    const { hooks } = this.#spec
    if (outcome.status === 'failed') await hooks?.onError?.(outcome)
    await hooks?.afterItem?.(outcome)
  }
}

function limitsOf(options: GetSpec['options']): {
  readonly onExists: GetSpec['options']['onExists']
  readonly acceptHtml: boolean
  readonly remoteTime: boolean
  readonly maxSizeBytes?: number
  readonly minSizeBytes?: number
} {
  const { onExists, acceptHtml, remoteTime, maxSizeBytes, minSizeBytes } = options
  return {
    onExists,
    acceptHtml,
    remoteTime,
    ...(maxSizeBytes === undefined ? {} : { maxSizeBytes }),
    ...(minSizeBytes === undefined ? {} : { minSizeBytes }),
  }
}

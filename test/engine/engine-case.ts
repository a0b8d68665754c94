import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  taskId,
  toTrawlError,
  type DownloadEventBody,
  type DownloadTask,
  type JobStats,
  type Outcome,
  type Resolver,
  type TrawlError,
} from '../../src/core/index.ts'
import {
  createEngine,
  createGovernor,
  FolderDestination,
  type Engine,
  type ExecutorProperties,
  type GovernorLimits,
  type OnExists,
  type RateLimiter,
  type RetryOptions,
  type Run,
  type TaskInput,
} from '../../src/engine/index.ts'
import { createFileNamer } from '../../src/files/index.ts'
import { createTransport, type TransportOptions } from '../../src/http/index.ts'
import { OutputFolder, type Durability } from '../../src/storage/index.ts'

export interface EngineCaseOptions {
  /** Default: a fresh folder, removed at the end. */
  readonly dir?: string
  readonly onExists?: OnExists
  readonly retry?: Partial<RetryOptions>
  readonly limits?: Partial<GovernorLimits>
  readonly timeoutMs?: number
  readonly spaceWaitMs?: number
  readonly durability?: Durability
  readonly acceptHtml?: boolean
  readonly mode?: ExecutorProperties['mode']
  /** Most workers of the modes that have some; default 2. */
  readonly workers?: number
  /** What requests are made with, beside `timeoutMs`. */
  readonly transport?: TransportOptions
  readonly rateLimiter?: RateLimiter
  readonly resolver?: Resolver
  readonly minSpeed?: { readonly bytesPerSecond: number; readonly windowMs: number }
}

/** How a run ended. */
export interface RunEnd {
  readonly outcomes: readonly Outcome[]
  readonly stats: JobStats
  readonly events: readonly DownloadEventBody[]
  readonly error?: TrawlError
}

export interface RunningCase {
  readonly run: Run
  readonly events: readonly DownloadEventBody[]
  readonly outcomes: readonly Outcome[]
  readonly end: Promise<RunEnd>
  /** Fires the second Ctrl-C. */
  readonly abort: () => void
}

/** Waits that tests need not wait for. */
const quickRetry: RetryOptions = { retries: 3, baseDelayMs: 1, maxDelayMs: 5, maxRetryAfterMs: 5000 }

/**
 * An engine over real sockets and a real folder. Every run checks what holds for all of them: one outcome for each
 * task planned, sums that agree, no part file in use by two, nothing active at the end.
 */
export class EngineCase implements AsyncDisposable {
  readonly dir: string
  readonly folder: OutputFolder
  readonly engine: Engine
  readonly destination: FolderDestination
  readonly #options: EngineCaseOptions
  readonly #ownDir: boolean
  readonly #governor: ReturnType<typeof createGovernor>

  constructor(options: EngineCaseOptions = {}) {
    this.#options = options
    this.#ownDir = options.dir === undefined
    this.dir = options.dir ?? mkdtempSync(join(tmpdir(), 'trawl-engine-'))
    this.folder = new OutputFolder({ path: this.dir, durability: options.durability ?? 'none' })
    this.#governor = createGovernor({
      loadSignals: [],
      ...(options.limits ? { limits: options.limits } : {}),
    })
    const transport = { timeoutMs: options.timeoutMs ?? 5000, ...options.transport }
    this.engine = createEngine({
      transport: createTransport(transport),
      governor: this.#governor,
      mode: options.mode ?? 'async',
      ...(options.minSpeed ? { minSpeedOf: () => options.minSpeed } : {}),
      workers: { transport, count: options.workers ?? 2 },
      ...(options.rateLimiter ? { rateLimiter: options.rateLimiter, limited: true } : {}),
    })
    this.destination = new FolderDestination({
      folder: this.folder,
      onExists: options.onExists ?? 'resume',
      nameOf: createFileNamer({ startedMs: 0 }),
      acceptHtml: options.acceptHtml ?? false,
      remoteTime: false,
    })
  }

  /** Starts a run; its outcomes are read as they come, unless `read` is false. */
  start(input: TaskInput, options: { readonly read?: boolean } = {}): RunningCase {
    const stop = new AbortController()
    const events: DownloadEventBody[] = []
    const outcomes: Outcome[] = []
    const run = this.engine.run(input, {
      destination: this.destination,
      retry: { ...quickRetry, ...this.#options.retry },
      spaceWaitMs: this.#options.spaceWaitMs ?? 0,
      onEvent: (event) => void events.push(event),
      itemEvents: () => true,
      ...(this.#options.resolver ? { resolver: this.#options.resolver } : {}),
      signal: stop.signal,
    })
    const read = async (): Promise<RunEnd> => {
      let error: TrawlError | undefined
      try {
        for await (const batch of run.batches()) outcomes.push(...batch)
      } catch (thrown) {
        error = toTrawlError(thrown)
      }
      const end: RunEnd = { outcomes, stats: run.stats(), events, ...(error ? { error } : {}) }
      checkSums(end, run)
      return end
    }
    const end = options.read === false ? new Promise<RunEnd>(() => {}) : read()
    return { run, events, outcomes, end, abort: () => stop.abort() }
  }

  /** Runs to the end. */
  run(input: TaskInput): Promise<RunEnd> {
    return this.start(input).end
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.engine.close()
    this.#governor.close()
    this.folder.close()
    if (this.#ownDir) rmSync(this.dir, { recursive: true, force: true })
  }
}

function checkSums({ outcomes, stats }: RunEnd, run: Run): void {
  const count = (status: Outcome['status']): number =>
    outcomes.filter((each) => each.status === status).length
  const sums = {
    ok: count('ok'),
    skipped: count('skipped'),
    failed: count('failed'),
    unfinished: count('unfinished'),
  }
  const { ok, skipped, failed, unfinished } = stats
  const told = { ok, skipped, failed, unfinished }
  if (JSON.stringify(told) !== JSON.stringify(sums) || stats.planned !== outcomes.length) {
    throw new Error(
      `outcomes ${JSON.stringify(sums)}, stats ${JSON.stringify({ planned: stats.planned, ...told })}`,
    )
  }
  if (new Set(outcomes.map((each) => each.id)).size !== outcomes.length)
    throw new Error('two outcomes of one task')
  const { active, waiting } = run.progress()
  if (active + waiting > 0) throw new Error(`${active} active and ${waiting} waiting at the end`)
}

let ordinal = 0

/** A task for one or more URLs, which are mirrors. */
export function task(urls: string | readonly string[], extra: Partial<DownloadTask> = {}): DownloadTask {
  const places = (typeof urls === 'string' ? [urls] : urls).map((url) => ({ url }))
  const locator = { kind: 'mirrors', places } as const
  const target = extra.target ?? {}
  return {
    id: taskId('file', locator, target, 0),
    kind: 'file',
    locator,
    ordinal: ordinal++,
    target,
    ...extra,
  }
}

export function tasks(base: string, paths: readonly string[]): DownloadTask[] {
  return paths.map((path) => task(base + path))
}

export function outcomeOf(end: RunEnd, path: string): Outcome {
  const found = end.outcomes.find((each) => each.input.endsWith(path))
  if (!found) throw new Error(`no outcome of ${path}`)
  return found
}

import { writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { randomUUID } from 'node:crypto'
import type { BookInputs, BookPlan } from '../books/index.ts'
import {
  getGroups,
  hostOptions,
  parseHours,
  parseOptions,
  parseStartAt,
  type BookCommandOptions,
  type ConcurrencyOptions,
  type DatasetCommandOptions,
  type GetInput as GetOptionsInput,
  type GetOptions,
  type NetworkOptions,
  type RetryOptions as RetryGroupOptions,
  type ResolvedConfig,
} from '../config/index.ts'
import { systemClock, TrawlError, type Clock, type JobKind } from '../core/index.ts'
import type { DatasetSpec } from '../datasets/index.ts'
import {
  createEngine,
  type Engine,
  type EngineOptions,
  type HostMemory,
  type InputTask,
} from '../engine/index.ts'
import {
  createGetKind,
  planFiles,
  type GetHooks,
  type GetInput,
  type GetInputs,
  type GetSpec,
  type ResolvePlaces,
  type PlannedFile,
} from '../files/index.ts'
import { createTransport } from '../http/index.ts'
import { startJob, type Job, type StartJobOptions } from '../jobs/index.ts'
import { storageError } from '../storage/index.ts'
import { bookOptions, bookPlans, createWiredBookKind, type BookJobOptions } from './book-session.ts'
import { datasetJobOf, type DatasetJobOptions, type DatasetWork } from './dataset-session.ts'
import { engineKey } from './engine-key.ts'
import { optionsByHost } from './host-blocks.ts'
import { KeptMemory } from './kept-memory.ts'
import { OpenFolders } from './open-folders.ts'
import { createSharedLimits, hostRetries, type SharedLimits } from './shared-limits.ts'
import { transportOptionsOf, type Surroundings } from './transport-options.ts'

/** Options for all jobs of one trawl; each job may set its own above them. Names as in docs/options.md. */
export interface TrawlOptions extends GetOptionsInput {
  readonly surroundings?: Surroundings
  /** Ceilings of hosts that earlier runs learned. */
  readonly hostMemory?: readonly HostMemory[]
}

/** Options of one get job. */
export interface GetJobOptions extends GetOptionsInput {
  readonly hooks?: GetHooks
  /** Gives addresses for inputs `{ source, ref }`, and new ones for those that expired. */
  readonly resolvePlaces?: ResolvePlaces
  readonly stdin?: AsyncIterable<Uint8Array>
  /** Tasks of an earlier run, in place of inputs: see `openRetry`. */
  readonly tasks?: AsyncIterable<readonly InputTask[]>
  /** Takes the bytes of the one file instead of the folder. */
  readonly output?: (chunk: Uint8Array) => void | Promise<void>
  readonly signal?: AbortSignal
}

/** A trawl: connections and limits that its jobs share. Dispose of it, or call `close`, when done. */
export interface Trawl extends AsyncDisposable {
  /** Starts downloading files. Throws ERR_CONFIG_* for wrong options; everything else is told by the job. */
  get(inputs: GetInputs, options?: GetJobOptions): Job<GetInput>
  /** Starts a job from options that the command line resolved, with their blocks for single hosts. */
  getResolved(
    inputs: GetInputs,
    config: ResolvedConfig<GetOptions>,
    options?: Omit<GetJobOptions, keyof GetOptionsInput>,
  ): Job<GetInput>
  /** What `getResolved` would fetch. Nothing is requested but Metalinks. */
  planFiles(
    inputs: GetInputs,
    config: ResolvedConfig<GetOptions>,
    options?: Pick<GetJobOptions, 'stdin' | 'signal'> & { readonly onNotice?: (message: string) => void },
  ): AsyncIterable<PlannedFile>
  /** Starts making books of inputs. Throws ERR_CONFIG_* for wrong options; everything else is told by the job. */
  book(inputs: BookInputs, options?: BookJobOptions): Job
  /** The same from options that the command line resolved. */
  bookResolved(
    inputs: BookInputs,
    config: ResolvedConfig<BookCommandOptions>,
    options?: Pick<BookJobOptions, 'hooks' | 'sources' | 'localFiles' | 'signal'>,
  ): Job
  /** What `bookResolved` would make: reads the documents of sources, fetches no page, writes nothing. */
  planBooks(
    inputs: BookInputs,
    config: ResolvedConfig<BookCommandOptions>,
    options?: Pick<BookJobOptions, 'sources' | 'localFiles' | 'signal'> & {
      readonly onNotice?: (message: string) => void
    },
  ): AsyncIterable<BookPlan>
  /** Starts making a dataset. Throws ERR_CONFIG_* for wrong options, ERR_OUTPUT_FORMAT, ERR_MODE_UNSUPPORTED; the job tells all else. */
  dataset(options: DatasetJobOptions): Job
  /** The same, or a part of it, from options that the command line resolved. */
  datasetResolved(
    config: ResolvedConfig<DatasetCommandOptions>,
    work: DatasetWork,
    options?: { readonly signal?: AbortSignal },
  ): Job
  /** Ceilings of hosts learned so far. */
  hostMemory(): readonly HostMemory[]
  /** Cancels what still runs, keeps its state, and waits. No job can be started afterwards: ERR_CANCELLED. */
  close(): Promise<void>
}

/**
 * Makes a trawl. Nothing is opened before the first job, but the state database where `stateDir` is given. Throws
 * ERR_CONFIG_INVALID, ERR_CONFIG_UNKNOWN_KEY.
 */
export async function createTrawl(options: TrawlOptions = {}): Promise<Trawl> {
  return new Session(options)
}

class Session implements Trawl {
  readonly #base: GetOptionsInput
  readonly #surroundings: Surroundings
  readonly #memory: readonly HostMemory[]
  readonly #kept: KeptMemory | undefined
  readonly #folders = new OpenFolders()
  readonly #engines = new Map<string, Promise<Engine>>()
  readonly #jobs = new Set<Job>()
  #limits: SharedLimits | undefined
  #closed: Promise<void> | undefined

  constructor(options: TrawlOptions) {
    const { surroundings, hostMemory, ...base } = options
    this.#base = base
    this.#surroundings = surroundings ?? {}
    const { stateDir, state } = parseOptions(getGroups, base)
    const { clock = systemClock, onNotice = () => {} } = this.#surroundings
    this.#kept =
      stateDir === undefined || !state ? undefined : new KeptMemory({ folder: stateDir, clock, onNotice })
    this.#memory = [...(this.#kept?.entries ?? []), ...(hostMemory ?? [])]
  }

  get(inputs: GetInputs, options: GetJobOptions = {}): Job<GetInput> {
    const { hooks, resolvePlaces, stdin, output, signal, tasks, ...own } = options
    const values = parseOptions(getGroups, { ...this.#base, ...own })
    return this.getResolved(
      inputs,
      { values, origins: {}, blocks: [], fixed: {} },
      pickGiven({ hooks, resolvePlaces, stdin, output, signal, tasks }),
    )
  }

  getResolved(
    inputs: GetInputs,
    config: ResolvedConfig<GetOptions>,
    options: Omit<GetJobOptions, keyof GetOptionsInput> = {},
  ): Job<GetInput> {
    const { signal, ...rest } = options
    const optionsOf = optionsByHost(config)
    const spec: GetSpec = { inputs, options: config.values, ...(optionsOf ? { optionsOf } : {}), ...rest }
    return this.#started(
      {
        name: 'get',
        run: async (wanted: GetSpec, context) => {
          const engine = await this.#engine(config)
          const { dir, durability } = wanted.options
          const folders = this.#folders
          const held = wanted.output
            ? undefined
            : await folders.openWhenRoom(resolve(dir), wanted.options, context)
          try {
            return await createGetKind({
              engine,
              openFolder: (path) => folders.open(resolve(path), durability, (event) => context.emit(event)),
              closeFolder: (folder) => folders.close(folder),
            }).run(wanted, context)
          } finally {
            if (held) folders.close(held)
          }
        },
      },
      spec,
      { signal, options: config.values },
    )
  }

  book(inputs: BookInputs, options: BookJobOptions = {}): Job {
    const { hooks, sources, localFiles, signal, ...own } = options
    const values = bookOptions(this.#base, own)
    return this.bookResolved(
      inputs,
      { values, origins: {}, blocks: [], fixed: {} },
      pickGiven({ hooks, sources, localFiles, signal }),
    )
  }

  bookResolved(
    inputs: BookInputs,
    config: ResolvedConfig<BookCommandOptions>,
    options: Pick<BookJobOptions, 'hooks' | 'sources' | 'localFiles' | 'signal'> = {},
  ): Job {
    const { signal, ...rest } = options
    const kind = createWiredBookKind({
      engine: () => this.#engine(config),
      folders: this.#folders,
      options: config.values,
    })
    return this.#started(kind, { inputs, ...rest }, { signal, options: config.values })
  }

  planBooks: Trawl['planBooks'] = (inputs, config, { onNotice, signal, ...rest } = {}) =>
    bookPlans({ inputs, ...rest }, config.values, {
      engine: () => this.#engine(config),
      onNotice: onNotice ?? (() => {}),
      signal: signal ?? new AbortController().signal,
    })

  dataset({ signal, ...options }: DatasetJobOptions): Job {
    const { config, work } = datasetJobOf({ ...this.#base }, options)
    return this.datasetResolved(config, work, signal === undefined ? {} : { signal })
  }

  datasetResolved(
    config: ResolvedConfig<DatasetCommandOptions>,
    work: DatasetWork,
    options: { readonly signal?: AbortSignal } = {},
  ): Job {
    if (config.values.mode === 'threads') {
      throw new TrawlError('ERR_MODE_UNSUPPORTED', '--mode threads does not work for datasets', {
        hint: 'Images are worked on in threads anyway. Use --mode processes, or --mode async.',
      })
    }
    const limits = this.#sharedLimits(config)
    const kind: JobKind<DatasetSpec> = {
      name: 'dataset',
      run: async (wanted, context) => {
        // Loaded when the first dataset is made: files and books need none of it.
        const { createWiredDatasetKind } = await import('./dataset-kind.ts')
        return createWiredDatasetKind(config, { limits, surroundings: this.#surroundings }).run(
          wanted,
          context,
        )
      },
    }
    const spec = { ...work, options: { ...config.values, dir: resolve(config.values.dir) } }
    return this.#started(kind, spec, { signal: options.signal, options: config.values })
  }

  planFiles(
    inputs: GetInputs,
    config: ResolvedConfig<GetOptions>,
    options: Parameters<Trawl['planFiles']>[2] = {},
  ): AsyncIterable<PlannedFile> {
    const { stdin, signal, onNotice } = options
    const spec: GetSpec = { inputs, options: config.values, ...(stdin ? { stdin } : {}) }
    return planFiles(spec, {
      notice: (message) => onNotice?.(message),
      fetchDocument: async (url, wish) => (await this.#engine(config)).fetchDocument(url, wish),
      signal: signal ?? new AbortController().signal,
    })
  }

  hostMemory(): readonly HostMemory[] {
    return this.#limits?.governor.learned() ?? this.#memory
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#jobs].map((job) => job.cancel()))
    const made = await Promise.allSettled(this.#engines.values())
    try {
      for (const engine of made) if (engine.status === 'fulfilled') await engine.value.close()
    } finally {
      if (this.#limits) this.#kept?.keep(this.#limits.governor.learned())
      this.#limits?.governor.close()
    }
  }

  #started<Spec>(
    kind: JobKind<Spec>,
    spec: Spec,
    given: { readonly signal: AbortSignal | undefined; readonly options: Partial<ConcurrencyOptions> },
  ): Job<unknown> {
    if (this.#closed) {
      throw new TrawlError('ERR_CANCELLED', 'this trawl was closed', {
        hint: 'Make another with createTrawl().',
      })
    }
    const { signal, options } = given
    const { clock } = this.#surroundings
    const job = startJob(kind, spec, {
      id: randomUUID(),
      ...(signal ? { signal } : {}),
      ...(clock ? { clock } : {}),
      ...scheduleOf(options, clock ?? systemClock),
    })
    this.#jobs.add(job)
    void job.result.then(() => this.#jobs.delete(job))
    return job
  }

  /** One engine for all jobs whose requests are made in the same way; limits are shared by all. */
  #engine(config: ResolvedConfig<EngineValues>): Promise<Engine> {
    const key = engineKey(config)
    let engine = this.#engines.get(key)
    if (!engine) {
      engine = this.#makeEngine(config)
      this.#engines.set(key, engine)
      engine.catch(() => this.#engines.delete(key))
    }
    return engine
  }

  async #makeEngine(config: ResolvedConfig<EngineValues>): Promise<Engine> {
    const { values } = config
    const network = await transportOptionsOf(config, this.#surroundings)
    const transport = createTransport(network)
    const { governor, rateLimiter, limited } = this.#sharedLimits(config)
    const engine = createEngine({
      transport,
      governor,
      rateLimiter,
      limited,
      mode: values.mode,
      workers: {
        transport: network,
        count: values.workers === 'auto' ? availableParallelism() : values.workers,
      },
      ...minSpeeds(config),
      ...hostRetries(config),
    })
    const { saveCookies } = values
    const { cookies } = network
    if (saveCookies === undefined || cookies === undefined) return engine
    return {
      ...engine,
      close: async () => {
        await engine.close()
        await writeFile(saveCookies, cookies.toText(), { mode: 0o600 }).catch((error: unknown) => {
          throw storageError(error, { path: saveCookies, doing: 'save the cookies to' })
        })
      },
    }
  }

  #sharedLimits(config: ResolvedConfig<ConcurrencyOptions>): SharedLimits {
    this.#limits ??= createSharedLimits(config, this.#memory)
    return this.#limits
  }
}

/** The least speed of transfers, for each host; nothing where none was set, so that nothing is asked for each file. */
function minSpeeds(config: ResolvedConfig<NetworkOptions>): Pick<EngineOptions, 'minSpeedOf'> {
  const isSet = [config.values, ...config.blocks.map((block) => block.values)].some(
    (values) => 'minSpeedBps' in values && values.minSpeedBps !== 0,
  )
  if (!isSet) return {}
  return {
    minSpeedOf: (host) => {
      const { minSpeedBps, minSpeedWindowMs } = hostOptions(config, host)
      return minSpeedBps > 0 ? { bytesPerSecond: minSpeedBps, windowMs: minSpeedWindowMs } : undefined
    },
  }
}

/** When a job may work, as its options say. */
function scheduleOf(
  { startAt, between }: Partial<ConcurrencyOptions>,
  clock: Clock,
): Pick<StartJobOptions, 'schedule'> {
  if (startAt === undefined && between === undefined) return {}
  const startAtWallMs = startAt === undefined ? undefined : parseStartAt(startAt, clock.wallMs())
  const hours = between === undefined ? undefined : parseHours(between)
  return {
    schedule: {
      ...(startAtWallMs === undefined ? {} : { startAtWallMs }),
      ...(hours === undefined ? {} : { hours }),
    },
  }
}

/** What an engine depends on. */
type EngineValues = NetworkOptions & ConcurrencyOptions & RetryGroupOptions

function pickGiven<T extends object>(values: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>
  }
}

import {
  TrawlError,
  type ItemFilter,
  type ItemSelector,
  type JobContext,
  type JobKind,
  type JobLimits,
  type JobPatch,
  type JobWork,
  type Outcome,
  type PauseRequest,
} from '../../core/index.ts'
import { retryOptionsOf, type ByteBudget, type Engine, type InputTask, type Run } from '../../engine/index.ts'
import { ReportFile } from '../../storage/index.ts'
import { openShardPlan, type ShardPlan } from '../plan/index.ts'
import { writeReport } from '../report/index.ts'
import {
  finalizeDataset,
  localFolder,
  readShardState,
  type DatasetStatus,
  type FinalizeOptions,
  type ShardState,
} from '../shards/index.ts'
import { clearLeftovers } from './clear-leftovers.ts'
import { DatasetCount } from './dataset-count.ts'
import { datasetItems } from './dataset-items.ts'
import { layoutOf, plannedSettings, type DatasetSettings } from './dataset-settings.ts'
import type { DatasetSpec } from './dataset-spec.ts'
import type { MetricsServer } from './metrics-server.ts'
import { openResizers } from './open-resizers.ts'
import { OtherWorkers } from './other-workers.ts'
import { tellPace } from './pace.ts'
import { preparePlan } from './prepare-plan.ts'
import { RoomWait } from './room-wait.ts'
import { defaultMaxBodyBytes, SampleWork, type SampleWorkOptions } from './sample-work.ts'
import { ShardQueue } from './shard-queue.ts'

/** An engine for one dataset job, and the memory that its bodies share. */
export interface DatasetEngine {
  readonly engine: Engine
  readonly budget: ByteBudget
  readonly close: () => Promise<void>
}

/** What a dataset job is given by the one that wires it. */
export interface DatasetJobParts {
  /** The settings of the plan say how polite its requests are. */
  readonly openEngine: (settings: DatasetSettings) => Promise<DatasetEngine>
}

/** Shards at work at once. */
const maxOpenShards = 4

/** The `dataset` job: images from tables. */
export function createDatasetKind(parts: DatasetJobParts): JobKind<DatasetSpec> {
  return { name: 'dataset', run: async (spec, context) => new DatasetWork(parts, spec, context) }
}

class DatasetWork implements JobWork {
  readonly done: Promise<void>
  readonly #parts: DatasetJobParts
  readonly #spec: DatasetSpec
  readonly #context: JobContext
  readonly #out: string
  readonly #count: DatasetCount
  #queue: ShardQueue | undefined
  #drained = false
  #pausedEarly = false
  #limits: JobLimits = {}
  #engine: Engine | undefined

  constructor(parts: DatasetJobParts, spec: DatasetSpec, context: JobContext) {
    this.#parts = parts
    this.#spec = spec
    this.#context = context
    this.#out = spec.options.dir
    this.#count = new DatasetCount(spec.command === 'run')
    this.done = this.#work()
  }

  progress: JobWork['progress'] = () => this.#count.progress()
  stats: JobWork['stats'] = () => this.#count.stats()
  activeItems: JobWork['activeItems'] = (limit) => this.#count.run?.activeItems(limit) ?? []

  async *items(filter?: ItemFilter): AsyncIterable<Outcome> {
    if (this.#count.manifest) yield* datasetItems(this.#out, this.#count.manifest, filter)
  }

  drain(): void {
    this.#drained = true
    this.#queue?.drain()
    this.#count.run?.drain()
  }

  pause(which: PauseRequest = {}): void {
    this.#pausedEarly ||= which.host === undefined && which.id === undefined
    this.#count.run?.pause(which)
  }

  resume(which: ItemSelector = {}): void {
    this.#pausedEarly &&= which.host !== undefined || which.id !== undefined
    this.#count.run?.resume(which)
  }

  cancel(which: PauseRequest): void {
    this.#count.run?.cancel(which)
  }

  update(patch: JobPatch, which?: ItemSelector): void {
    if (which === undefined) {
      this.#limits = { ...this.#limits, ...patch }
      this.#engine?.update(patch)
    }
    this.#count.run?.update(patch, which)
  }

  async #work(): Promise<void> {
    const { options } = this.#spec
    if (this.#spec.command !== 'worker') this.#context.emit({ type: 'job.phase', phase: 'plan' })
    const manifest = await preparePlan(this.#spec, this.#context.signal)
    this.#count.manifest = manifest
    if (options.dryRun) return
    const plan = openShardPlan(this.#out, manifest)
    const report =
      options.report === undefined ? undefined : new ReportFile(options.report, this.#spec.tables)
    let metrics: MetricsServer | undefined
    try {
      metrics = await this.#serveMetrics()
      const before = await readShardState(localFolder(this.#out), manifest)
      for (const shard of before.committed()) this.#count.doneBefore += plan.rowCount(shard)
      this.#context.emit({ type: 'job.phase', phase: 'download' })
      await this.#download(plan, before, report)
      // Rows that were cancelled are for the next run; so are their shards.
      if (this.#drained || this.stats().unfinished > 0) return
      if (this.#spec.command !== 'worker') await this.#finalize(plan)
    } finally {
      await metrics?.close()
      report?.close()
      await plan.close()
    }
  }

  async #serveMetrics(): Promise<MetricsServer | undefined> {
    const port = this.#spec.options.prometheusPort
    if (port === undefined) return undefined
    // With node:http comes all of fetch: 20 ms that most jobs need not spend.
    const { serveMetrics } = await import('./metrics-server.ts')
    return serveMetrics(port, () => ({ progress: this.progress(), stats: this.stats() }))
  }

  async #download(plan: ShardPlan, before: ShardState, report: ReportFile | undefined): Promise<void> {
    const { engine, budget, close } = await this.#parts.openEngine(plannedSettings(plan.manifest))
    this.#engine = engine
    engine.update(this.#limits)
    const stopping = new AbortController()
    const signal = AbortSignal.any([this.#context.signal, stopping.signal])
    const room = new RoomWait({
      path: this.#out,
      waitMs: this.#spec.options.spaceWaitMs,
      emit: (event) => this.#context.emit(event),
      isEnding: () => this.#drained || signal.aborted,
    })
    const queue = new ShardQueue({ out: this.#out, plan, spec: this.#spec, room, maxOpen: maxOpenShards })
    queue.onWaiting = (message) => this.#context.emit({ type: 'job.notice', message })
    queue.onFailure = () => stopping.abort(new TrawlError('ERR_CANCELLED', 'a shard could not be written'))
    this.#queue = queue
    const resizers = openResizers()
    const samples = this.#sampleWork(queue, { plan, budget, resizers, room, signal })
    const stopCounting = this.#countOthers(plan, before, queue)
    const stopTelling = tellPace(this.progress, (detail) => {
      this.#context.emit({ type: 'job.phase', phase: 'download', detail })
    })
    let failure: unknown
    try {
      const run = this.#start(engine, tasksOf(queue, samples), { samples, signal })
      for await (const batch of run.batches()) {
        await Promise.all(batch.map((outcome) => samples.settle(outcome)))
        if (report) for (const outcome of batch) report.add(outcome)
      }
      if (!this.#drained && !signal.aborted) await queue.settle()
    } catch (error) {
      failure = error
      stopping.abort(error)
    }
    stopTelling()
    await stopCounting()
    await queue.stop(new TrawlError('ERR_CANCELLED', 'the job was ended'))
    await Promise.all([resizers.usual.close(), resizers.apart.close()])
    await close()
    if (failure !== undefined) throw failure
    if (queue.failure !== undefined) throw queue.failure
    if (this.#context.signal.aborted) throw new TrawlError('ERR_CANCELLED', 'the job was cancelled')
    if (report) await this.#reportOthers(plan, report)
  }

  /** What other processes made is known from their shards. */
  async #reportOthers({ manifest }: ShardPlan, report: ReportFile): Promise<void> {
    const shards = this.#count.others?.shards ?? []
    for await (const outcome of datasetItems(this.#out, manifest, { shards })) report.add(outcome)
  }

  #sampleWork(
    queue: ShardQueue,
    given: Pick<SampleWorkOptions, 'budget' | 'resizers' | 'room' | 'signal'> & { readonly plan: ShardPlan },
  ): SampleWork {
    const { options } = this.#spec
    const { plan, ...parts } = given
    const samples = new SampleWork({
      out: this.#out,
      settings: plannedSettings(plan.manifest),
      ...parts,
      maxBodyBytes: options.maxSizeBytes ?? defaultMaxBodyBytes,
      totalTimeoutMs: options.totalTimeoutMs,
      onIncomplete: (shard) => queue.setAside(shard),
    })
    this.#count.samples = samples
    return samples
  }

  /** Other processes may work on the same plan; the returned function ends that with a last look. */
  #countOthers(plan: ShardPlan, before: ShardState, queue: ShardQueue): () => Promise<void> {
    if (this.#spec.command !== 'run') return () => Promise.resolve()
    const others = new OtherWorkers({
      out: this.#out,
      manifest: plan.manifest,
      before,
      isOurs: (shard) => queue.isOurs(shard),
    })
    this.#count.others = others
    others.start()
    return () => others.stop()
  }

  #start(
    engine: Engine,
    tasks: AsyncIterable<readonly InputTask[]>,
    work: { readonly samples: SampleWork; readonly signal: AbortSignal },
  ): Run {
    const { options } = this.#spec
    const { samples, signal } = work
    const run = engine.run(tasks, {
      destination: samples.destination,
      acceptor: samples.acceptor,
      retry: retryOptionsOf(options),
      spaceWaitMs: options.spaceWaitMs,
      onEvent: (event) => this.#context.emit(event),
      itemEvents: () => this.#context.wantsItemEvents(),
      signal,
    })
    this.#count.run = run
    if (this.#pausedEarly) run.pause()
    if (this.#drained) this.drain()
    return run
  }

  async #finalize(plan: ShardPlan): Promise<void> {
    const { durability } = this.#spec.options
    this.#context.emit({ type: 'job.phase', phase: 'finalize' })
    await finishDataset(this.#out, plan, { durability, signal: this.#context.signal })
  }
}

/**
 * Sums up a dataset whose shards are all there (or, with `allowMissing`, those that are): `stats.json`, `report.html`
 * and `report.json`; then what was kept for going on is removed. Throws ERR_SHARD_INCOMPLETE, ERR_CANCELLED,
 * ERR_PACK_DAMAGED and storage errors.
 */
export async function finishDataset(
  out: string,
  plan: ShardPlan,
  options: FinalizeOptions & { readonly signal?: AbortSignal },
): Promise<DatasetStatus> {
  const { signal, ...finalize } = options
  const { manifest } = plan
  const status = await finalizeDataset(out, manifest, finalize)
  await writeReport({
    out,
    plan,
    layout: layoutOf(manifest, manifest.parts[0]?.columns ?? []),
    durability: finalize.durability ?? 'batch',
    ...(signal === undefined ? {} : { signal }),
  })
  if (status.shards.committed === status.shards.planned) clearLeftovers(out, manifest)
  return status
}

async function* tasksOf(
  queue: ShardQueue,
  samples: SampleWork,
): AsyncGenerator<readonly InputTask[], void, undefined> {
  for await (const shard of queue.shards()) yield* samples.tasks(shard)
}

import { rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import {
  TrawlError,
  type ItemFilter,
  type ItemSelector,
  type JobContext,
  type JobKind,
  type JobLimits,
  type JobStats,
  type JobWork,
  type Outcome,
  type Progress,
} from '../../core/index.ts'
import type { ByteBudget, Engine, InputTask, Run } from '../../engine/index.ts'
import { ReportFile } from '../../storage/index.ts'
import { openShardPlan, type PlanManifest, type ShardPlan } from '../plan/index.ts'
import { writeReport } from '../report/index.ts'
import {
  finalizeDataset,
  localFolder,
  readShardState,
  type DatasetStatus,
  type FinalizeOptions,
} from '../shards/index.ts'
import { datasetItems } from './dataset-items.ts'
import { layoutOf, plannedSettings, type DatasetSettings } from './dataset-settings.ts'
import type { DatasetSpec } from './dataset-spec.ts'
import { serveMetrics, type MetricsServer } from './metrics-server.ts'
import { preparePlan } from './prepare-plan.ts'
import { defaultMaxBodyBytes, SampleWork } from './sample-work.ts'
import { ShardQueue, spoolFolder } from './shard-queue.ts'

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
  readonly #startedMs = performance.now()
  #manifest: PlanManifest | undefined
  #run: Run | undefined
  #queue: ShardQueue | undefined
  #samples: SampleWork | undefined
  /** Rows of shards that were done when this began. */
  #doneBefore = 0
  #drained = false
  #pausedEarly = false
  #limits: JobLimits = {}
  #engine: Engine | undefined

  constructor(parts: DatasetJobParts, spec: DatasetSpec, context: JobContext) {
    this.#parts = parts
    this.#spec = spec
    this.#context = context
    this.#out = spec.options.dir
    this.done = this.#work()
  }

  progress(): Progress {
    const run = this.#run?.progress() ?? nothingYet
    const skipped = this.#skipped(run.skipped)
    const planned = this.#planned(run.planned)
    const elapsedMs = performance.now() - this.#startedMs
    const done = run.ok + run.failed
    const left = planned - done - skipped
    const plannedIsFinal = this.#manifest !== undefined && (this.#isWhole || run.plannedIsFinal)
    const { etaMs: _, ...rest } = run
    return {
      ...rest,
      planned,
      plannedIsFinal,
      skipped,
      elapsedMs,
      ...(plannedIsFinal && done > 0 ? { etaMs: (run.elapsedMs / done) * left } : {}),
    }
  }

  activeItems: JobWork['activeItems'] = (limit) => this.#run?.activeItems(limit) ?? []

  stats(): JobStats {
    const stats = this.#run?.stats() ?? noStats
    const planned = this.#planned(stats.planned)
    const skipped = this.#skipped(stats.skipped)
    return {
      ...stats,
      planned,
      skipped,
      unfinished: planned - stats.ok - stats.failed - skipped,
      durationMs: performance.now() - this.#startedMs,
    }
  }

  async *items(filter?: ItemFilter): AsyncIterable<Outcome> {
    if (this.#manifest) yield* datasetItems(this.#out, this.#manifest, filter)
  }

  drain(): void {
    this.#drained = true
    this.#queue?.drain()
    this.#run?.drain()
  }

  pause(which?: ItemSelector): void {
    this.#pausedEarly ||= which === undefined
    this.#run?.pause(which)
  }

  resume(which?: ItemSelector): void {
    this.#pausedEarly &&= which !== undefined
    this.#run?.resume(which)
  }

  cancel(which: ItemSelector): void {
    this.#run?.cancel(which)
  }

  update(limits: JobLimits): void {
    this.#limits = { ...this.#limits, ...limits }
    this.#engine?.update(limits)
  }

  /** All rows of the plan are this job's, not only those that it happens to take. */
  get #isWhole(): boolean {
    return this.#spec.command === 'run'
  }

  #planned(taken: number): number {
    if (this.#isWhole) return this.#manifest?.rowCount ?? 0
    return taken + (this.#samples?.resumed ?? 0)
  }

  #skipped(skipped: number): number {
    return skipped + (this.#samples?.resumed ?? 0) + (this.#isWhole ? this.#doneBefore : 0)
  }

  async #work(): Promise<void> {
    const { options } = this.#spec
    if (this.#spec.command !== 'worker') this.#context.emit({ type: 'job.phase', phase: 'plan' })
    const manifest = await preparePlan(this.#spec, this.#context.signal)
    this.#manifest = manifest
    if (options.dryRun) return
    const plan = openShardPlan(this.#out, manifest)
    const report = options.report === undefined ? undefined : new ReportFile(options.report)
    let metrics: MetricsServer | undefined
    try {
      metrics = await this.#serveMetrics()
      await this.#countDone(plan)
      this.#context.emit({ type: 'job.phase', phase: 'download' })
      await this.#download(plan, report)
      if (this.#drained) return
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
    return serveMetrics(port, () => ({ progress: this.progress(), stats: this.stats() }))
  }

  async #countDone(plan: ShardPlan): Promise<void> {
    const state = await readShardState(localFolder(this.#out), plan.manifest)
    for (const shard of state.committed()) this.#doneBefore += plan.rowCount(shard)
  }

  async #download(plan: ShardPlan, report: ReportFile | undefined): Promise<void> {
    const { options } = this.#spec
    const settings = plannedSettings(plan.manifest)
    const { engine, budget, close } = await this.#parts.openEngine(settings)
    this.#engine = engine
    engine.update(this.#limits)
    const stopping = new AbortController()
    const signal = AbortSignal.any([this.#context.signal, stopping.signal])
    const queue = new ShardQueue({ out: this.#out, plan, spec: this.#spec, maxOpen: maxOpenShards })
    queue.onFailure = () => stopping.abort(new TrawlError('ERR_CANCELLED', 'a shard could not be written'))
    const samples = new SampleWork({
      out: this.#out,
      settings,
      budget,
      maxBodyBytes: options.maxSizeBytes ?? defaultMaxBodyBytes,
      totalTimeoutMs: options.totalTimeoutMs,
      imageJobs: availableParallelism() + 1,
      signal,
    })
    this.#queue = queue
    this.#samples = samples
    const run = engine.run(tasksOf(queue, samples), {
      destination: samples.destination,
      acceptor: samples.acceptor,
      retry: {
        retries: options.retries,
        baseDelayMs: options.retryDelayMs,
        maxDelayMs: options.retryMaxDelayMs,
        maxRetryAfterMs: options.retryAfterMaxMs,
      },
      spaceWaitMs: options.spaceWaitMs,
      onEvent: (event) => this.#context.emit(event),
      itemEvents: () => this.#context.wantsItemEvents(),
      signal,
    })
    this.#run = run
    if (this.#pausedEarly) run.pause()
    if (this.#drained) this.drain()
    let failure: unknown
    try {
      for await (const batch of run.batches()) {
        await Promise.all(batch.map((outcome) => samples.settle(outcome)))
        if (report) for (const outcome of batch) report.add(outcome)
      }
      if (!this.#drained && !signal.aborted) await queue.settle()
    } catch (error) {
      failure = error
      stopping.abort(error)
    }
    await queue.stop(new TrawlError('ERR_CANCELLED', 'the job was ended'))
    await close()
    if (failure !== undefined) throw failure
    if (queue.failure !== undefined) throw queue.failure
    if (this.#context.signal.aborted) throw new TrawlError('ERR_CANCELLED', 'the job was cancelled')
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
  if (status.shards.committed === status.shards.planned) {
    rmSync(join(out, spoolFolder), { recursive: true, force: true })
    rmSync(join(out, '.trawl', 'claims'), { recursive: true, force: true })
  }
  return status
}

async function* tasksOf(
  queue: ShardQueue,
  samples: SampleWork,
): AsyncGenerator<readonly InputTask[], void, undefined> {
  for await (const shard of queue.shards()) yield* samples.tasks(shard)
}

const nothingYet: Progress = {
  planned: 0,
  plannedIsFinal: false,
  ok: 0,
  skipped: 0,
  failed: 0,
  active: 0,
  waiting: 0,
  doneBytes: 0,
  fetchedBytes: 0,
  knownBytes: 0,
  speedBps: 0,
  elapsedMs: 0,
  hosts: [],
}

const noStats: JobStats = {
  planned: 0,
  ok: 0,
  skipped: 0,
  failed: 0,
  unfinished: 0,
  sizeBytes: 0,
  fetchedBytes: 0,
  durationMs: 0,
  meanSpeedBps: 0,
  retries: 0,
  failures: {},
}

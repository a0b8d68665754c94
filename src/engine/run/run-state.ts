import type { TrawlError } from '../../core/index.ts'
import type { ActiveTasks } from './active-tasks.ts'
import type { Holds } from './holds.ts'
import type { MirrorChoice } from './mirror-choice.ts'
import type { OutcomeChannel } from './outcome-channel.ts'
import type { PlaceResolver } from './place-resolver.ts'
import type { RetryTimers } from './retry-timers.ts'
import type { RunCounters } from './run-counters.ts'
import type { RunOptions, RunParts } from './run-options.ts'
import type { TaskQueue } from './task-queue.ts'
import type { VolumeGuard } from './volume-guard.ts'

/** What the parts of one run share: where its tasks are, what is counted, and what holds it back. */
export interface RunState {
  readonly parts: RunParts
  readonly options: RunOptions
  readonly counters: RunCounters
  /** Tasks that may start. */
  readonly queue: TaskQueue
  /** Tasks that wait for the time of their next attempt. */
  readonly delays: RetryTimers
  /** Tasks whose addresses are being asked for. */
  readonly resolving: PlaceResolver
  readonly mirrors: MirrorChoice
  readonly active: ActiveTasks
  readonly channel: OutcomeChannel
  readonly volume: VolumeGuard
  readonly holds: Holds
  /** Nothing new is started any more. */
  stopping: boolean
  /** What ended the whole run, such as a volume that stayed full. */
  fatal: TrawlError | undefined
  /** Connections at once for each file, where that was changed while running. */
  split: number | 'auto' | undefined
  /** Starts what may be started. */
  readonly pump: () => void
  /** Ends the run where nothing is left to do. */
  readonly maybeEnd: () => void
  /** Nothing can be carried out any more; what is left waits for another run. */
  readonly endAll: (error: TrawlError) => void
}

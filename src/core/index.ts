export * from './errors/index.ts'
export type { Book, BookMetadata, Chapter, Page, PageLayer } from './book.ts'
export { systemClock, type Clock } from './clock.ts'
export { coversFile, type PieceHashes } from './piece-hashes.ts'
export { digestAlgorithms, digestHexLength, type Digest, type DigestAlgorithm } from './digest.ts'
export type { Entity, EntityTag, Extent, Validators } from './entity.ts'
export type {
  ActiveItem,
  DownloadEvent,
  DownloadEventBody,
  HostProgress,
  JobStats,
  JobStatus,
  OutcomeCounts,
  Progress,
  ReuseCounts,
} from './events.ts'
export { formats } from './formats.ts'
export type {
  HookTools,
  ItemFilter,
  ItemSelector,
  JobContext,
  JobKind,
  JobLimits,
  JobPatch,
  JobWork,
  PauseRequest,
} from './job.ts'
export { headerFault } from './header-fault.ts'
export { murmur128 } from './murmur.ts'
export { collateNaturally } from './natural-order.ts'
export { noProgress, noStats } from './nothing-yet.ts'
export type { Outcome, OutcomeStatus, SkipReason } from './outcome.ts'
export { closeSlab, giveBack, takeSlab, type Slab } from './slabs.ts'
export {
  describeLocator,
  type DownloadTask,
  type Locator,
  type Place,
  type ResolveReason,
  type Resolver,
  type TargetRule,
  type TaskId,
} from './task.ts'
export { taskId } from './task-id.ts'
export { isAddress, taskOfRequest, taskRequest, type TaskRequest } from './task-request.ts'
export { formatDuration, formatSize, parseDuration, parseSize } from './units.ts'
export { version } from './version.ts'

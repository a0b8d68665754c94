export { createEngine, type Engine } from './engine.ts'
export type { EngineOptions } from './engine-options.ts'
export type { Document, FetchDocument, FetchDocumentOptions } from './fetch-document.ts'
export type { Admission, CommitFacts, Destination, NamedTask } from './destination/destination.ts'
export type { OnExists } from './destination/file-namer.ts'
export { FolderDestination } from './destination/folder-destination.ts'
export type { FolderDestinationOptions } from './destination/folder-destination-options.ts'
export type { EntityFilter } from './destination/entity-filter.ts'
export type { FoundFile, Settled } from './destination/found-file.ts'
export { recoverCommits } from './destination/recover.ts'
export { ByteBudget } from './destination/byte-budget.ts'
export {
  holdBody,
  MemoryDestination,
  stagedBytes,
  type MemoryDestinationOptions,
} from './destination/memory-destination.ts'
export * from './governor/index.ts'
export * from './rate-limit/index.ts'
export { ReuseFolders } from './reuse/reuse-folders.ts'
export type { ReuseOptions } from './reuse/found-files.ts'
export { retryOptionsOf } from './run/retry-options-of.ts'
export type { RetryOptions } from './run/retry-policy.ts'
export { Run } from './run/run.ts'
export type { Acceptor, RunOptions, RunParts } from './run/run-options.ts'
export type { FilteredTask, InputTask, RefusedTask, TaskInput } from './run/task-input.ts'
export { hostOf } from './run/host-of.ts'
export type { PartFiles } from './remote/part-files.ts'
export type { RemoteExecutor, RemoteExecutorOptions } from './remote/remote-executor.ts'
export type { LocalExecutor, LocalExecutorOptions } from './transfer/local-executor.ts'
export { judgeResponse } from './transfer/judge-response.ts'
export type {
  EntityFacts,
  EntityVerdict,
  Executor,
  ExecutorProperties,
  KeptBytes,
  StagedTransfer,
  TransferCallbacks,
  TransferOrder,
  TransferResult,
} from './transfer/transfer.ts'
export { algorithmsOf, ByteCounter, verifyDigests } from './verify/index.ts'
export { planTransfer, type TransferPlan, type TransferProfile } from './segments/plan-transfer.ts'

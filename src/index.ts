export type { BookHooks, BookInputs, BookPlan, BookResult, BookStatus, MissingPage } from './books/index.ts'
export * from './core/index.ts'
export { planTransfer, type TransferPlan, type TransferProfile } from './engine/index.ts'
export {
  openRetry,
  type GetHooks,
  type GetInput,
  type GetInputs,
  type ResolvedPlaces,
  type ResolvePlaces,
  type RetryFilter,
  type RetrySource,
} from './files/index.ts'
export { type Job, type JobResult } from './jobs/index.ts'
export {
  batchDownload,
  batchDownloadSync,
  cleanFolder,
  createTrawl,
  downloadBook,
  downloadDataset,
  lookAtFolder,
  type BatchOptions,
  type BatchResult,
  type BatchSyncOptions,
  type BookJobOptions,
  type CleanedFolder,
  type DatasetJobOptions,
  type DownloadBookOptions,
  type DownloadDatasetOptions,
  type DownloadedDataset,
  type FolderStatus,
  type GetJobOptions,
  type LookedAtFolder,
  type Trawl,
  type TrawlOptions,
} from './session/index.ts'

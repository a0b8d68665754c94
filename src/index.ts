export type { BookHooks, BookInputs, BookPlan, BookResult, BookStatus, MissingPage } from './books/index.ts'
export * from './core/index.ts'
export { planTransfer, type TransferPlan, type TransferProfile } from './engine/index.ts'
export {
  type GetHooks,
  type GetInput,
  type GetInputs,
  type ResolvedPlaces,
  type ResolvePlaces,
} from './files/index.ts'
export { type Job, type JobResult } from './jobs/index.ts'
export {
  batchDownload,
  batchDownloadSync,
  createTrawl,
  downloadBook,
  downloadDataset,
  type BatchOptions,
  type BatchResult,
  type BatchSyncOptions,
  type BookJobOptions,
  type DatasetJobOptions,
  type DownloadBookOptions,
  type DownloadDatasetOptions,
  type DownloadedDataset,
  type GetJobOptions,
  type Trawl,
  type TrawlOptions,
} from './session/index.ts'

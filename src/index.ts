export * from './core/index.ts'
export { type GetHooks, type GetInput, type GetInputs } from './files/index.ts'
export { type Job, type JobResult } from './jobs/index.ts'
export {
  batchDownload,
  createTrawl,
  downloadDataset,
  type BatchOptions,
  type DatasetJobOptions,
  type DownloadDatasetOptions,
  type DownloadedDataset,
  type GetJobOptions,
  type Trawl,
  type TrawlOptions,
} from './session/index.ts'

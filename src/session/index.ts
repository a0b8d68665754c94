export type { BookJobOptions } from './book-session.ts'
export { downloadBook, type DownloadBookOptions } from './download-book.ts'
export { batchDownload, type BatchOptions, type BatchResult } from './batch-download.ts'
export { batchDownloadSync, type BatchSyncOptions } from './batch-download-sync.ts'
export {
  compareModes,
  comparisonSvg,
  describeMachine,
  summarise,
  timesOf,
  type Comparison,
  type ModeRun,
} from './compare/index.ts'
export { createTrawl, type GetJobOptions, type Trawl, type TrawlOptions } from './create-trawl.ts'
export type { DatasetJobOptions, DatasetWork } from './dataset-session.ts'
export { downloadDataset, type DownloadDatasetOptions, type DownloadedDataset } from './download-dataset.ts'
export { refuseOutputFormat } from './output-format.ts'
export { refuseFarPlaces } from './dataset-places.ts'
export type { Surroundings } from './transport-options.ts'
export { verifyPaths, type Verified } from './verify-paths.ts'
export { listSources, repackBook } from './book-session.ts'
export type { RepackedBook } from '../books/index.ts'
export { cleanFolder, type CleanedFolder } from './clean-folder.ts'
export { lookAtFolder, type BooksStatus, type FolderStatus, type LookedAtFolder } from './folder-status.ts'

export { batchDownload, type BatchOptions } from './batch-download.ts'
export { createTrawl, type DatasetJobOptions, type GetJobOptions, type Trawl, type TrawlOptions } from './create-trawl.ts'
export type { Surroundings } from './transport-options.ts'

export * from './core/index.ts'
export { type GetHooks, type GetInput, type GetInputs } from './files/index.ts'
export { type Job, type JobResult } from './jobs/index.ts'
export {
  batchDownload,
  createTrawl,
  type BatchOptions,
  type GetJobOptions,
  type Trawl,
  type TrawlOptions,
} from './session/index.ts'

export {
  createDatasetKind,
  finishDataset,
  gateByMemory,
  plannedIn,
  preparePlan,
  randomDelay,
  verifyDataset,
  type DatasetEngine,
  type DatasetJobParts,
  type DatasetSettings,
  type DatasetSpec,
  type VerifiedShard,
} from './job/index.ts'
export type { OptOut, OptOutOptions } from './manners/index.ts'
export {
  openShardPlan,
  type ColumnValue,
  type PlanColumn,
  type PlanManifest,
  type PlanOptions,
  type PlanPart,
  type PlanSetting,
  type ShardPlan,
  type ShardPlanOptions,
  type ShardRow,
} from './plan/index.ts'
export type { ReportData, ReportOptions } from './report/index.ts'
export {
  isRowCode,
  rowCodes,
  type RowCode,
  type RowFailure,
  type RowSelector,
  type Sample,
  type SampleFacts,
  type SampleImage,
  type SampleLayout,
  type SampleRun,
  type SampleStatus,
  type WrittenFile,
} from './samples/index.ts'
export {
  localFolder,
  readDatasetStatus,
  type DatasetStatus,
  type FinalizeOptions,
  type FinishedSample,
  type ReadShardOptions,
  type RetryRows,
  type RewriteShardOptions,
  type ShardFolder,
  type ShardState,
  type ShardStats,
  type ShardTarget,
  type ShardWriter,
  type ShardWriterOptions,
} from './shards/index.ts'
export type { TableFormat } from './tables/index.ts'

export {
  manifestPath,
  openShardPlan,
  parseManifest,
  planDataset,
  planFolder,
  readManifest,
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
export { tableFormats, type TableFormat } from './tables/index.ts'

export {
  manifestPath,
  readManifest,
  type PlanColumn,
  type PlanFile,
  type PlanManifest,
  type PlanPart,
  type PlanSetting,
  type RowChoice,
} from './manifest.ts'
export { planDataset } from './plan-dataset.ts'
export type { PlanOptions } from './plan-options.ts'
export {
  openShardPlan,
  type ColumnValue,
  type ShardPlan,
  type ShardPlanOptions,
  type ShardRow,
} from './shard-rows.ts'

import {
  datasetGroups,
  parseOptions,
  type DatasetCommandOptions,
  type DatasetInput,
  type ResolvedConfig,
} from '../config/index.ts'
import type { DatasetSpec } from '../datasets/index.ts'
import { refuseFarPlaces } from './dataset-places.ts'
import { refuseOutputFormat } from './output-format.ts'

/** Options of a dataset job. */
export interface DatasetJobOptions extends DatasetInput {
  /** Files and folders of them; not needed for a plan that is there. */
  readonly tables?: string | readonly string[]
  /** Default `run`. */
  readonly command?: DatasetSpec['command']
  /** For `retry`: which rows, such as `timeout` or `http_5xx`. Default all that failed. */
  readonly statuses?: readonly string[]
  readonly signal?: AbortSignal
}

/** What of a dataset is to be done: all of it, shards of a plan, or rows again. */
export type DatasetWork = Omit<DatasetSpec, 'options'>

/**
 * What a caller asks for, over the options of its trawl that datasets have too. Throws ERR_CONFIG_* and
 * ERR_OUTPUT_FORMAT.
 */
export function datasetJobOf(
  base: Readonly<Record<string, unknown>>,
  options: Omit<DatasetJobOptions, 'signal'>,
): { readonly config: ResolvedConfig<DatasetCommandOptions>; readonly work: DatasetWork } {
  const { tables = [], command = 'run', statuses, ...own } = options
  refuseOutputFormat(own.outputFormat)
  const names = new Set(datasetGroups.flatMap((group) => group.options.map(({ name }) => name)))
  const shared = Object.fromEntries(Object.entries(base).filter(([name]) => names.has(name)))
  const values = parseOptions(datasetGroups, { ...shared, ...own })
  refuseFarPlaces(values)
  return {
    config: { values, origins: {}, blocks: [], fixed: {} },
    work: {
      command,
      tables: typeof tables === 'string' ? [tables] : tables,
      ...(statuses === undefined ? {} : { statuses }),
    },
  }
}

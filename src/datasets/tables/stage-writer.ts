import { TrawlError } from '../../core/index.ts'
import { createParquetWriter, type ParquetColumn, type ParquetValue } from '../parquet/index.ts'
import type { TableFile } from './table-file.ts'
import { describeProblem, type TableRow } from './table-row.ts'

/** The column of a staged table that says what is wrong with a row; null for a good one. */
export const problemColumn = '__trawl_problem'

/**
 * Writes the rows of a reader to a Parquet file that DuckDB plans from: the columns as they come, and
 * `problemColumn`. One row out for each row in. Throws what the reader throws, and storage errors.
 */
export async function stageRows<T extends ParquetValue>(
  table: TableFile,
  rows: AsyncIterable<TableRow<T>[]>,
  target: {
    readonly path: string
    readonly columns: readonly ParquetColumn[]
    readonly signal?: AbortSignal
  },
): Promise<void> {
  const writer = await createParquetWriter({
    path: target.path,
    columns: [...target.columns, { name: problemColumn, type: 'string' }],
    rowGroupRows: 50_000,
    verbatim: true,
  })
  try {
    for await (const batch of rows) {
      if (target.signal?.aborted === true) {
        throw new TrawlError('ERR_CANCELLED', `${table.name}: cancelled`, { cause: target.signal.reason })
      }
      for (const { values, problem } of batch) {
        const text = problem === undefined ? null : describeProblem(table, writer.rows + 1, problem)
        writer.add([...values, text])
      }
    }
    writer.finish()
  } catch (error) {
    writer.abort()
    throw error
  }
}

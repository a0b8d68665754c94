import type { TableFile } from './table-file.ts'

/** One row of a text table, as the row-by-row readers give it. A row with a problem keeps what could be read. */
export interface TableRow<T = string> {
  /** One value for each column asked for. */
  readonly values: readonly (T | null)[]
  readonly problem?: RowProblem
}

/** What is wrong with a row, and where. */
export interface RowProblem {
  /** Line of the file, from 1; for formats that have lines. */
  readonly line?: number
  readonly column?: string
  readonly reason: string
}

/** `photos.csv, row 12 (line 14), column 'caption': not valid UTF-8`. Rows count from 1, headers are not rows. */
export function describeProblem(table: TableFile, row: number, problem: RowProblem): string {
  const line = problem.line === undefined ? '' : ` (line ${problem.line})`
  const column = problem.column === undefined ? '' : `, column '${problem.column}'`
  return `${table.name}, row ${row}${line}${column}: ${problem.reason}`
}

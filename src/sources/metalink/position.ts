/** Where something stands in a document; both from 1. */
export interface Position {
  readonly line: number
  readonly column: number
}

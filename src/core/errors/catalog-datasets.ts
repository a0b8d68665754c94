import type { ErrorKind } from './error-kind.ts'

/** Errors of tables, samples and shards. */
export const datasetErrors = {
  ERR_TABLE_COLUMN: {
    retry: 'never',
    scope: 'job',
    exitCode: 2,
    httpStatus: 422,
    summary: 'The table lacks a column.',
    hint: 'Name the column with --url-col, --caption-col or --save-columns.',
  },
  ERR_TABLE_FORMAT: {
    retry: 'never',
    scope: 'job',
    exitCode: 2,
    httpStatus: 415,
    summary: 'The table format is not supported.',
    hint: 'Convert it to CSV, TSV, JSONL, Parquet or uncompressed Arrow IPC.',
  },
  ERR_TABLE_ROW: {
    retry: 'never',
    scope: 'task',
    exitCode: 1,
    httpStatus: 422,
    summary: 'A row of the table cannot be parsed.',
    hint: 'Mend the named row; the others are not affected.',
  },
  ERR_OUTPUT_FORMAT: {
    retry: 'never',
    scope: 'job',
    exitCode: 2,
    httpStatus: 415,
    summary: 'The output format is not supported.',
    hint: 'Use --output-format files, webdataset or parquet.',
  },
  ERR_SAMPLE_FILTERED: {
    retry: 'never',
    scope: 'task',
    exitCode: 1,
    httpStatus: 422,
    summary: 'The image was left out by a filter.',
    hint: 'Change --min-image-size, --max-image-area or --max-aspect-ratio.',
  },
  ERR_SHARD_INCOMPLETE: {
    retry: 'never',
    scope: 'job',
    exitCode: 1,
    httpStatus: 500,
    summary: 'A shard has no commit record.',
    hint: 'Run the same command again.',
  },
  ERR_PLAN_MISMATCH: {
    retry: 'never',
    scope: 'job',
    exitCode: 2,
    httpStatus: 409,
    summary: 'The folder holds a dataset of another plan.',
    hint: 'Use another folder, or --incremental overwrite.',
  },
} satisfies Record<string, ErrorKind>

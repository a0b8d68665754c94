import { bookErrors } from './catalog-books.ts'
import { configErrors } from './catalog-config.ts'
import { datasetErrors } from './catalog-datasets.ts'
import { imageErrors } from './catalog-images.ts'
import { jobErrors } from './catalog-jobs.ts'
import { networkErrors } from './catalog-network.ts'
import { packErrors } from './catalog-pack.ts'
import { storageErrors } from './catalog-storage.ts'
import type { ErrorKind } from './error-kind.ts'

/**
 * Everything that can go wrong, in one table. Exit codes, problem documents, dataset statuses and
 * `docs/errors.md` come from it. Codes are never reused or renamed.
 */
export const catalog = {
  ...configErrors,
  ...networkErrors,
  ...storageErrors,
  ...imageErrors,
  ...packErrors,
  ...bookErrors,
  ...datasetErrors,
  ...jobErrors,
} satisfies Record<string, ErrorKind>

export type ErrorCode = keyof typeof catalog

export function isErrorCode(value: string): value is ErrorCode {
  return Object.hasOwn(catalog, value)
}

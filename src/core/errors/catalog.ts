import { bookErrors } from './catalog-books.ts'
import { configErrors } from './catalog-config.ts'
import { datasetErrors } from './catalog-datasets.ts'
import { imageErrors } from './catalog-images.ts'
import { networkErrors } from './catalog-network.ts'
import { packErrors } from './catalog-pack.ts'
import { storageErrors } from './catalog-storage.ts'
import type { ErrorKind } from './error-kind.ts'

const jobErrors = {
  ERR_CANCELLED: {
    retry: 'never',
    scope: 'job',
    exitCode: 130,
    httpStatus: 409,
    summary: 'The job was cancelled; its state is kept.',
    hint: 'Run the same command again to go on where it stopped.',
  },
  ERR_INTERNAL: {
    retry: 'never',
    scope: 'task',
    exitCode: 1,
    httpStatus: 500,
    summary: 'Something happened that trawl did not foresee.',
    hint: 'This is a bug in trawl. Please report it with the message and the command.',
  },
} satisfies Record<string, ErrorKind>

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

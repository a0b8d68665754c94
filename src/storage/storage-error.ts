import { isTrawlError, TrawlError, type ErrorCode, type TrawlErrorOptions } from '../core/index.ts'

/** What was being done when the system refused. */
export interface StorageAction {
  /** The file or folder, as the user would name it. */
  readonly path: string
  /** A verb phrase that follows "cannot", such as `write`, `create the folder` or `rename`. */
  readonly doing: string
}

interface Meaning {
  readonly code: ErrorCode
  readonly says: string
  readonly options?: Pick<TrawlErrorOptions, 'retry' | 'scope' | 'hint'>
}

const meanings: Readonly<Record<string, Meaning>> = {
  ENOSPC: { code: 'ERR_NO_SPACE', says: 'no space left on the volume' },
  EDQUOT: { code: 'ERR_NO_SPACE', says: 'the disk quota is used up' },
  EACCES: { code: 'ERR_PERMISSION', says: 'permission denied' },
  EPERM: { code: 'ERR_PERMISSION', says: 'operation not permitted' },
  EROFS: { code: 'ERR_READ_ONLY', says: 'the volume is read-only' },
  EISDIR: { code: 'ERR_IS_DIRECTORY', says: 'a folder stands there' },
  ENOTDIR: { code: 'ERR_NOT_DIRECTORY', says: 'a part of the path is not a folder' },
  EEXIST: { code: 'ERR_EXISTS', says: 'something stands there already' },
  ENOTEMPTY: { code: 'ERR_EXISTS', says: 'the folder is not empty' },
  EMFILE: { code: 'ERR_TOO_MANY_FILES', says: 'this process has too many open files' },
  ENFILE: { code: 'ERR_TOO_MANY_FILES', says: 'the system has too many open files' },
  EFBIG: { code: 'ERR_FILE_TOO_LARGE', says: 'the file system cannot hold a file of this size' },
  ENAMETOOLONG: { code: 'ERR_NAME_TOO_LONG', says: 'the name or path is too long' },
  EILSEQ: {
    code: 'ERR_PATH_UNSAFE',
    says: 'the file system does not take these characters',
    options: { hint: 'Give another name with --out or --name.' },
  },
  ELOOP: {
    code: 'ERR_PATH_UNSAFE',
    says: 'a symbolic link stands there',
    options: { hint: 'Remove the link, or choose another folder with --dir.' },
  },
  ENOENT: {
    code: 'ERR_IO',
    says: 'it is not there',
    options: { hint: 'Was the folder moved or removed while trawl was at work?' },
  },
  EXDEV: {
    code: 'ERR_IO',
    says: 'the two places are on different volumes',
    options: { retry: 'never', hint: 'Keep the output folder and its .trawl folder on one volume.' },
  },
  EINVAL: { code: 'ERR_IO', says: 'the system refused the request as invalid', options: { retry: 'never' } },
  EIO: { code: 'ERR_IO', says: 'the device reported an error' },
  EBUSY: { code: 'ERR_IO', says: 'it is in use' },
  ETXTBSY: { code: 'ERR_IO', says: 'it is a program that is running' },
  ESTALE: { code: 'ERR_IO', says: 'the network volume went away' },
  ENODEV: { code: 'ERR_IO', says: 'the device is gone' },
  ENXIO: { code: 'ERR_IO', says: 'the device is gone' },
  EPIPE: { code: 'ERR_IO', says: 'nobody reads it any more', options: { retry: 'never' } },
  ABORT_ERR: { code: 'ERR_CANCELLED', says: 'cancelled' },
}

/**
 * An error of the file system as a `TrawlError`, by its errno: what is full, forbidden, read-only, in the way or
 * too long is told apart; everything else is `ERR_IO`. A `TrawlError` is given back as it is.
 */
export function storageError(error: unknown, action: StorageAction): TrawlError {
  if (isTrawlError(error)) return error
  const errno = errnoOf(error)
  const meaning = errno === undefined ? undefined : meanings[errno]
  return new TrawlError(
    meaning?.code ?? 'ERR_IO',
    `cannot ${action.doing} ${action.path}: ${storageReason(error)}`,
    {
      ...meaning?.options,
      cause: error,
      context: { path: action.path, ...(errno === undefined ? {} : { errno }) },
    },
  )
}

/** Why the system refused, in a few words: `it is not there (ENOENT)`. */
export function storageReason(error: unknown): string {
  const errno = errnoOf(error)
  const meaning = errno === undefined ? undefined : meanings[errno]
  if (meaning === undefined) return error instanceof Error ? error.message : String(error)
  return errno === 'ABORT_ERR' ? meaning.says : `${meaning.says} (${errno})`
}

/** The errno name of a system error, such as `ENOENT`; `ABORT_ERR` for an abort; undefined for anything else. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  // An abort of the platform has a number as its code.
  if (error.name === 'AbortError') return 'ABORT_ERR'
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

import { TrawlError, isTrawlError, type ErrorCode } from '../core/index.ts'

const codes: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: 'ERR_NO_SPACE',
  EDQUOT: 'ERR_NO_SPACE',
  EACCES: 'ERR_PERMISSION',
  EPERM: 'ERR_PERMISSION',
  EROFS: 'ERR_READ_ONLY',
  EFBIG: 'ERR_FILE_TOO_LARGE',
  EMFILE: 'ERR_TOO_MANY_FILES',
  ENFILE: 'ERR_TOO_MANY_FILES',
  EEXIST: 'ERR_EXISTS',
  EISDIR: 'ERR_IS_DIRECTORY',
  ENOTDIR: 'ERR_NOT_DIRECTORY',
}

/** An error of the file system as one of ours, with the path it happened at; ours pass through unchanged. */
export function fileError(error: unknown, path: string): TrawlError {
  if (isTrawlError(error)) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const reason = error instanceof Error ? error.message : String(error)
  return new TrawlError(codes[code] ?? 'ERR_IO', `${path}: ${reason}`, { cause: error, context: { path } })
}

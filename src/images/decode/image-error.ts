import { isTrawlError, TrawlError } from '../../core/index.ts'
import { storageError } from '../../storage/index.ts'

/** What sharp was doing, for the message. */
export interface ImageAction {
  /** The path, or what messages call bytes that have none. */
  readonly name: string
  /** A verb phrase that follows "cannot", such as `decode`. */
  readonly doing: string
}

/**
 * An error of sharp as a `TrawlError`: too many pixels, a format it has no reader for, a full disk, or else a picture
 * that cannot be decoded. libvips tells them apart only by their texts.
 */
export function imageError(error: unknown, { name, doing }: ImageAction): TrawlError {
  if (isTrawlError(error)) return error
  if (error instanceof Error && 'errno' in error) return storageError(error, { path: name, doing })
  const text = (error instanceof Error ? error.message : String(error)).trim().replaceAll(/\s*\n\s*/g, '; ')
  const context = { path: name }
  if (/pixel limit|too large for|exceeds.*limit|maximum.*dimension/i.test(text)) {
    return new TrawlError('ERR_IMAGE_TOO_LARGE', `cannot ${doing} ${name}: ${text}`, {
      cause: error,
      context,
    })
  }
  if (/unsupported image format|no known loader|not built with/i.test(text)) {
    return new TrawlError('ERR_IMAGE_UNSUPPORTED', `cannot ${doing} ${name}: ${text}`, {
      cause: error,
      context,
    })
  }
  const full = /No space left|ENOSPC|quota/i.test(text)
  const code = full
    ? 'ERR_NO_SPACE'
    : /unable to open for write|write error/i.test(text)
      ? 'ERR_IO'
      : undefined
  return new TrawlError(code ?? 'ERR_IMAGE_DAMAGED', `cannot ${doing} ${name}: ${text}`, {
    cause: error,
    context,
  })
}

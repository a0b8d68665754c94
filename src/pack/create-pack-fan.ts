import { toTrawlError, TrawlError, type BookMetadata } from '../core/index.ts'
import type { PackedFile, PackedPage, PackPage, PackWriter } from './pack-writer.ts'

/** Several containers that are written from one stream of pages. */
export interface PackFan {
  /** True where one of the writers needs the files of pages until `finish`. */
  readonly holdsPages: boolean
  /** Adds a page to all of them; the places come in the order of the writers. */
  add(page: PackPage): Promise<readonly PackedPage[]>
  /** Finishes them one after the other. What was finished before one fails stays. */
  finish(metadata: BookMetadata): Promise<readonly PackedFile[]>
  /** Aborts all that are not finished. Safe after anything, also twice. */
  abort(): Promise<void>
}

/**
 * Writes one stream of pages to several writers. Where one of them fails, all that are not finished are to be
 * aborted; the error names the format. Throws what the writers throw.
 */
export function createPackFan(writers: readonly PackWriter[]): PackFan {
  const abort = async () => {
    await Promise.all(writers.map((writer) => writer.abort()))
  }
  return {
    holdsPages: writers.some((writer) => writer.properties.holdsPages),
    async add(page) {
      // All are waited for: none may still be at work when the page file goes away.
      const results = await Promise.allSettled(writers.map((writer) => writer.add(page)))
      return results.map((result, i) => {
        if (result.status === 'fulfilled') return result.value
        throw named(result.reason, writers[i])
      })
    },
    async finish(metadata) {
      const files: PackedFile[] = []
      for (const writer of writers) {
        try {
          files.push(await writer.finish(metadata))
        } catch (error) {
          await abort()
          throw named(error, writer, files)
        }
      }
      return files
    },
    abort,
  }
}

function named(
  error: unknown,
  writer: PackWriter | undefined,
  finished: readonly PackedFile[] = [],
): TrawlError {
  const cause = toTrawlError(error)
  const kept =
    finished.length === 0 ? '' : ` (finished before: ${finished.map((file) => file.path).join(', ')})`
  return new TrawlError(cause.code, `${writer?.properties.format ?? 'pack'}: ${cause.message}${kept}`, {
    cause: error,
    context: cause.context,
    hint: cause.hint,
  })
}

import { join } from 'node:path'
import { TrawlError } from '../core/index.ts'
import { makeFolders } from './make-folders.ts'
import { errnoOf, storageError } from './storage-error.ts'

/**
 * Makes an output folder with the folder of state in it, `inside`. Throws ERR_NOT_DIRECTORY where a file stands in the
 * way, and storage errors that name the output folder.
 */
export function makeOutputFolder(path: string, inside: string): void {
  try {
    makeFolders(join(path, inside))
  } catch (error) {
    const code = errnoOf(error)
    if (code === 'EEXIST' || code === 'ENOTDIR') {
      throw new TrawlError('ERR_NOT_DIRECTORY', `${path} is a file or lies below one`, {
        cause: error,
        context: { path },
      })
    }
    const { code: meaning, message, context } = storageError(error, { path, doing: 'create the folder' })
    throw new TrawlError(meaning, message, {
      cause: error,
      context,
      // Such as below /proc, where nothing can be made though all is there.
      ...(code === 'ENOENT' ? { hint: 'Choose another folder with --dir.' } : {}),
    })
  }
}

import { accessSync, constants } from 'node:fs'
import { dirname } from 'node:path'
import { TrawlError } from '../core/index.ts'
import { storageReason } from './storage-error.ts'

/**
 * Looks whether a file that is only written at the end can be written then: its folder is there, and files may be made
 * in it. `option` is the flag that names the file. Throws ERR_IO, exit code 3.
 */
export function requirePlace(path: string, option: string): void {
  try {
    accessSync(dirname(path), constants.W_OK)
  } catch (cause) {
    throw new TrawlError('ERR_IO', `${option}: cannot write ${path}: the folder: ${storageReason(cause)}`, {
      cause,
      context: { path },
      retry: 'never',
      scope: 'job',
      hint: `Give another file with ${option}, in a folder that is there.`,
    })
  }
}

import { accessSync, constants, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { TrawlError } from '../core/index.ts'
import { storageReason } from './storage-error.ts'

/**
 * Looks whether a file that is only written at the end can be written then: its folder is there, and files may be made
 * in it. `option` is the flag that names the file. Throws ERR_IO, exit code 3.
 */
export function requirePlace(path: string, option: string): void {
  const refused = (why: string, cause?: unknown): TrawlError =>
    new TrawlError('ERR_IO', `${option}: cannot write ${path}: ${why}`, {
      ...(cause === undefined ? {} : { cause }),
      context: { path },
      retry: 'never',
      scope: 'job',
      hint: `Give another file with ${option}, in a folder that is there.`,
    })
  try {
    // With the dot a file in the way of the folder is seen too.
    accessSync(`${dirname(path)}/.`, constants.W_OK)
  } catch (cause) {
    throw refused(`the folder: ${storageReason(cause)}`, cause)
  }
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw refused('a folder stands there')
}

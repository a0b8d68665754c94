import { closeSync, fsyncSync, linkSync, openSync, renameSync, unlinkSync } from 'node:fs'
import { dirname } from 'node:path'
import type { TrawlError } from '../core/index.ts'
import { fileError } from './file-error.ts'

export type Durability = 'none' | 'batch' | 'strict'

export function storageError(error: unknown, action: { path: string; doing: string }): TrawlError {
  return fileError(error, action.path)
}

export function publish(
  part: string,
  final: string,
  options: { readonly replace: boolean; readonly durability: Durability },
): void {
  if (options.replace) renameSync(part, final)
  else {
    linkSync(part, final)
    unlinkSync(part)
  }
  if (options.durability === 'strict') {
    const fd = openSync(dirname(final), 'r')
    fsyncSync(fd)
    closeSync(fd)
  }
}

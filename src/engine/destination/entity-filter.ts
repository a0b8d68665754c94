import { parseHttpDate } from '../../http/index.ts'
import type { EntityFacts } from '../transfer/transfer.ts'

/** Files that are not wanted, by what the server tells of them; they are skipped, which is no failure. */
export interface EntityFilter {
  readonly maxSizeBytes?: number
  readonly minSizeBytes?: number
  /** Last-Modified, in milliseconds since 1970: at this time or later. */
  readonly newerThanMs?: number
  /** Before this time. */
  readonly olderThanMs?: number
}

/** False for a file that is surely not wanted. Of what the server does not tell nothing is assumed. */
export function passesFilter(
  filter: EntityFilter,
  { lengthBytes, validators }: Pick<EntityFacts, 'lengthBytes' | 'validators'>,
): boolean {
  const { maxSizeBytes, minSizeBytes, newerThanMs, olderThanMs } = filter
  if (lengthBytes !== undefined) {
    if (maxSizeBytes !== undefined && lengthBytes > maxSizeBytes) return false
    if (minSizeBytes !== undefined && lengthBytes < minSizeBytes) return false
  }
  if (newerThanMs === undefined && olderThanMs === undefined) return true
  const modifiedMs = parseHttpDate(validators.lastModified)
  if (modifiedMs === undefined) return true
  if (newerThanMs !== undefined && modifiedMs < newerThanMs) return false
  return olderThanMs === undefined || modifiedMs < olderThanMs
}

import type { DownloadTask, Locator, TargetRule, TaskId } from './task.ts'
import { murmur128 } from './murmur.ts'

/**
 * The identity of a task: a hash of kind, source reference or first URL, target rule and occurrence. It does not
 * depend on the position in the list, so lists may be re-ordered and extended between runs.
 */
export function taskId(
  kind: DownloadTask['kind'],
  locator: Locator,
  target: TargetRule,
  occurrence: number,
): TaskId {
  const where =
    locator.kind === 'source' ? `${locator.source}\n${locator.ref}` : (locator.places[0]?.url ?? '')
  return murmur128(
    `${kind}\n${where}\n${target.path ?? ''}\n${target.template ?? ''}\n${target.dir ?? ''}\n${occurrence}`,
  )
}

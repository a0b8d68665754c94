import { taskId, type DownloadTask, type TargetRule } from '../core/index.ts'
import { HashSet64 } from '../storage/index.ts'

/** One file wanted, as a list or a caller says it. */
export interface FileRequest extends Omit<DownloadTask, 'id' | 'kind' | 'ordinal' | 'target'> {
  readonly target?: TargetRule
}

/**
 * Makes tasks of requests: gives them identities. A request that comes again in the same run gets
 * an identity of its own by its occurrence, the same one in every run. Memory: 17 bytes for each request.
 */
export function createTaskMaker(
  common: { readonly target?: TargetRule } = {},
): (request: FileRequest, ordinal: number) => DownloadTask {
  const seen = new HashSet64()
  const repeats = new Map<string, number>()
  return (request, ordinal) => {
    const { locator, target: own, ...rest } = request
    const target: TargetRule = { ...common.target, ...own }
    const first = taskId('file', locator, target, 0)
    seen.hash(first, 0)
    let id = first
    if (!seen.add()) {
      const occurrence = (repeats.get(first) ?? 0) + 1
      repeats.set(first, occurrence)
      id = taskId('file', locator, target, occurrence)
    }
    return { id, kind: 'file', locator, ordinal, target, ...rest }
  }
}

import {
  taskId,
  type Digest,
  type DownloadTask,
  type Locator,
  type Place,
  type TargetRule,
} from '../core/index.ts'
import { TaskIndex } from '../storage/index.ts'

/** One file wanted, as a list or a caller says it. */
export interface FileRequest {
  /** Several are mirrors of the same bytes. */
  readonly places: readonly Place[]
  readonly target?: TargetRule
  readonly headers?: Readonly<Record<string, string>>
  readonly expectedSizeBytes?: number
  readonly digests?: readonly Digest[]
  readonly priority?: number
  readonly limitRateBps?: number
  readonly split?: number
  readonly fields?: Readonly<Record<string, string>>
}

/**
 * Makes tasks of requests: numbers them and gives them identities. A request that comes again in the same run gets
 * an identity of its own by its occurrence, the same one in every run. Memory: 25 bytes and slack for each request.
 */
export function createTaskMaker(
  common: { readonly target?: TargetRule } = {},
): (request: FileRequest) => DownloadTask {
  const seen = new TaskIndex()
  let ordinal = 0
  return (request) => {
    const { places, target: own, ...rest } = request
    const locator: Locator = { kind: 'mirrors', places }
    const target: TargetRule = { ...common.target, ...own }
    const first = taskId('file', locator, target, 0)
    const occurrence = seen.offset(first) + 1
    seen.set(first, 1, occurrence)
    const id = occurrence === 0 ? first : taskId('file', locator, target, occurrence)
    return { id, kind: 'file', locator, ordinal: ordinal++, target, ...rest }
  }
}

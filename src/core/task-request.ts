import type { Digest } from './digest.ts'
import type { DownloadTask, Place, TargetRule, TaskId } from './task.ts'

/**
 * What a task asks for beyond its address, as plain data for journals and reports, so that it can be tried again as it
 * was. Headers that may carry secrets are left out; `withheld` names them.
 */
export interface TaskRequest {
  /** All places, where there is more than one. */
  readonly places?: readonly Place[]
  readonly target?: TargetRule
  readonly headers?: Readonly<Record<string, string>>
  readonly withheld?: readonly string[]
  readonly expectedSizeBytes?: number
  readonly digests?: readonly Digest[]
  readonly priority?: number
  readonly limitRateBps?: number
  readonly split?: number
  readonly fields?: Readonly<Record<string, string>>
}

const secretHeader = /auth|cookie|token|key|secret|password|session|signature|credential/i

/** The request of a task; undefined where its address says it all, as it does for most of a million. */
export function taskRequest(task: DownloadTask): TaskRequest | undefined {
  const { locator, target, headers, digests, fields } = task
  if (locator.kind === 'source') return undefined
  const { places } = locator
  const isPlain =
    places.length === 1 &&
    places[0]?.headers === undefined &&
    headers === undefined &&
    digests === undefined &&
    fields === undefined &&
    target.path === undefined &&
    target.template === undefined &&
    target.dir === undefined &&
    task.expectedSizeBytes === undefined &&
    task.priority === undefined &&
    task.limitRateBps === undefined &&
    task.split === undefined
  return isPlain ? undefined : fullRequest(task, places)
}

function fullRequest(task: DownloadTask, places: readonly Place[]): TaskRequest {
  const withheld = new Set<string>()
  const open = (headers: Readonly<Record<string, string>>): Record<string, string> => {
    const kept: Record<string, string> = {}
    for (const [name, value] of Object.entries(headers)) {
      if (secretHeader.test(name)) withheld.add(name)
      else kept[name] = value
    }
    return kept
  }
  const { target, headers, digests, fields, expectedSizeBytes, priority, limitRateBps, split } = task
  const request: { -readonly [K in keyof TaskRequest]: TaskRequest[K] } = {}
  if (places.length > 1 || places[0]?.headers) {
    request.places = places.map((place) =>
      place.headers ? { ...place, headers: open(place.headers) } : place,
    )
  }
  if (Object.keys(target).length > 0) request.target = target
  const shown = headers && open(headers)
  if (shown && Object.keys(shown).length > 0) request.headers = shown
  if (withheld.size > 0) request.withheld = [...withheld]
  if (expectedSizeBytes !== undefined) request.expectedSizeBytes = expectedSizeBytes
  if (digests) request.digests = digests
  if (priority !== undefined) request.priority = priority
  if (limitRateBps !== undefined) request.limitRateBps = limitRateBps
  if (split !== undefined) request.split = split
  if (fields) request.fields = fields
  return request
}

/** The task that a record or report line speaks of: the same identity, the same wishes. */
export function taskOfRequest(
  record: { readonly id: TaskId; readonly ordinal: number; readonly input: string },
  request: TaskRequest = {},
): DownloadTask {
  const { places, target, withheld: _withheld, ...rest } = request
  return {
    id: record.id,
    kind: 'file',
    ordinal: record.ordinal,
    locator: { kind: 'mirrors', places: places ?? [{ url: record.input }] },
    target: target ?? {},
    ...rest,
  }
}

/** True where a task may be tried again from its record alone. */
export function isAddress(input: string): boolean {
  const protocol = URL.parse(input)?.protocol
  return protocol === 'http:' || protocol === 'https:'
}

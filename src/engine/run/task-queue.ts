import type { Place, TrawlError, DownloadTask } from '../../core/index.ts'
import type { ReplacedFile } from '../../storage/index.ts'
import type { FoundFile } from '../destination/found-file.ts'
import { hostOf } from './host-of.ts'
import type { KeptBytes, TransferOrder } from '../transfer/transfer.ts'

/** A task on its way through a run, with what its attempts have left behind. */
export interface RunningTask {
  readonly task: DownloadTask
  /** Of the place that the next attempt asks. */
  host: string
  places: readonly Place[]
  /** All that were resolved, with those that were left out since. */
  allPlaces: readonly Place[]
  /** Its places have the same bytes and may be used at once. */
  mirrored: boolean
  attemptStartedMs: number
  priority: number
  /** Attempts made, those that a server asked to wait for not counted. */
  attempt: number
  throttles: number
  connections: number
  /** Name given, relative to the root. */
  path: string | undefined
  kept: KeptBytes | undefined
  startedMs: number
  fetchedBytes: number
  doneBytes: number
  sizeBytes: number | undefined
  error: TrawlError | undefined
  httpStatus: number | undefined
  /** Times that its address was asked for again. */
  refreshed: number
  /** Times in a row that asking for its address failed. */
  unresolved: number
  replace: boolean
  readonly replaces: ReplacedFile | undefined
  /** A file on disk that may be what is wanted. */
  found: FoundFile | undefined
  /** Connections at once that were asked for; undefined is auto. */
  split: number | undefined
  /** Bytes a second of its own; undefined where it has the limit of all. */
  limitRateBps: number | undefined
  /** The attempt that is under way. */
  order: TransferOrder | undefined
  /** It is to stop until it is resumed, or for good. */
  stop: 'pause' | 'cancel' | undefined
  /** Place among the active tasks, -1 when it is not one. */
  slot: number
  /** Times that the file was started anew because it changed or its server has no ranges. */
  restarts: number
  /** Bytes on disk when the present attempt began. */
  keptBytes: number
}

interface Lane {
  readonly priority: number
  items: RunningTask[]
  head: number
}

interface HostQueue {
  readonly host: string
  /** Highest priority first; each a first-in first-out list read from `head`. */
  lanes: { readonly priority: number; items: RunningTask[]; head: number }[]
  size: number
  blocked: boolean
}

/**
 * Tasks that wait for a request to be allowed, by host. Hosts take turns; within a host the highest priority goes
 * first, then the order of arrival. All operations are constant time for the usual few priorities.
 */
export class TaskQueue {
  readonly #hosts = new Map<string, HostQueue>()
  #ready: HostQueue[] = []
  #size = 0
  readonly #smallFirst: boolean

  /** With `smallFirst`, of one priority and host the smallest file goes first; others are in order of arrival. */
  constructor(options: { readonly smallFirst?: boolean } = {}) {
    this.#smallFirst = options.smallFirst ?? false
  }

  get size(): number {
    return this.#size
  }

  /** True when tasks wait but every host that has some was refused. */
  get allBlocked(): boolean {
    return this.#size > 0 && this.#ready.length === 0
  }

  add(item: RunningTask): void {
    const next = item.places[item.attempt % item.places.length]
    if (next && item.places.length > 1) item.host = hostOf(next.url)
    const queue = this.#queue(item.host)
    let lane = queue.lanes.find((each) => each.priority === item.priority)
    if (!lane) {
      lane = { priority: item.priority, items: [], head: 0 }
      queue.lanes.push(lane)
      queue.lanes.sort((a, b) => b.priority - a.priority)
    }
    if (this.#smallFirst) insertBySize(lane, item)
    else lane.items.push(item)
    queue.size++
    this.#size++
    if (queue.size === 1 && !queue.blocked) this.#ready.push(queue)
  }

  /** The host whose turn it is, or undefined when none may start anything. */
  nextHost(): string | undefined {
    return this.#ready[0]?.host
  }

  /** Takes the next task of the host whose turn it is. */
  take(): RunningTask | undefined {
    const queue = this.#ready[0]
    const lane = queue?.lanes.find((each) => each.head < each.items.length)
    const item = lane?.items[lane.head]
    if (!queue || !lane || !item) return undefined
    lane.head++
    // Spent slots are given back in bulk: shifting one by one would copy the list each time.
    if (lane.head > 512 && lane.head * 2 > lane.items.length) {
      lane.items = lane.items.slice(lane.head)
      lane.head = 0
    }
    queue.size--
    this.#size--
    if (queue.size === 0) this.#leave(queue)
    else if (this.#ready.length > 1) this.#ready.push(this.#ready.shift() ?? queue)
    return item
  }

  /** The host was refused: it is passed over until `unblock`. */
  block(host: string): void {
    const queue = this.#hosts.get(host)
    if (!queue || queue.blocked) return
    queue.blocked = true
    this.#ready = this.#ready.filter((each) => each !== queue)
  }

  /** One host, or all, may be asked again. */
  unblock(host?: string): void {
    if (host !== undefined) return this.#unblock(this.#hosts.get(host))
    for (const queue of this.#hosts.values()) this.#unblock(queue)
  }

  /** Takes all tasks out, in no particular order. */
  drain(): RunningTask[] {
    const items: RunningTask[] = []
    for (const queue of this.#hosts.values()) {
      for (const lane of queue.lanes) items.push(...lane.items.slice(lane.head))
    }
    this.#hosts.clear()
    this.#ready = []
    this.#size = 0
    return items
  }

  /** All waiting tasks, in no particular order. */
  *values(): Generator<RunningTask, void, undefined> {
    for (const queue of this.#hosts.values()) {
      for (const lane of queue.lanes) yield* lane.items.slice(lane.head)
    }
  }

  /** Moves every waiting task of which `match` is true to another priority; tells how many. */
  reprioritise(priority: number, match: (item: RunningTask) => boolean): number {
    const items = this.drain()
    let changed = 0
    for (const item of items) {
      if (match(item)) {
        item.priority = priority
        changed++
      }
      this.add(item)
    }
    return changed
  }

  /** Takes out every waiting task of which `match` is true. */
  remove(match: (item: RunningTask) => boolean): RunningTask[] {
    const removed: RunningTask[] = []
    for (const item of this.drain()) {
      if (match(item)) removed.push(item)
      else this.add(item)
    }
    return removed
  }

  #queue(host: string): HostQueue {
    let queue = this.#hosts.get(host)
    if (!queue) {
      queue = { host, lanes: [], size: 0, blocked: false }
      this.#hosts.set(host, queue)
    }
    return queue
  }

  #unblock(queue: HostQueue | undefined): void {
    if (!queue?.blocked) return
    queue.blocked = false
    if (queue.size > 0) this.#ready.push(queue)
    else this.#hosts.delete(queue.host)
  }

  #leave(queue: HostQueue): void {
    this.#ready = this.#ready.filter((each) => each !== queue)
    if (!queue.blocked) this.#hosts.delete(queue.host)
  }
}

/** Files of unknown length stand among those of this size. */
const guessedBytes = 8 * 1024 * 1024

function sizeForOrder({ task, sizeBytes }: RunningTask): number {
  return sizeBytes ?? task.expectedSizeBytes ?? guessedBytes
}

/** Behind all that are not larger, found by halving. */
function insertBySize(lane: Lane, item: RunningTask): void {
  const size = sizeForOrder(item)
  let low = lane.head
  let high = lane.items.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const other = lane.items[middle]
    if (other && sizeForOrder(other) <= size) low = middle + 1
    else high = middle
  }
  lane.items.splice(low, 0, item)
}

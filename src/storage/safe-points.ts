import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { uptime } from 'node:os'
import { formats } from '../core/index.ts'

/** Systems write what is in memory to the disk within half a minute; twice that is trusted. */
const writebackMs = 60_000
const everyMs = 10_000
/** Clocks are set now and then: starts of the system that are this close are one. */
const bootToleranceMs = 120_000

interface Point {
  readonly atMs: number
  /** Length of the journal then. */
  readonly journalBytes: number
}

/** What may be missing on the disk since the system went down without a word. */
export interface PowerLoss {
  /** Finished records from here on are to be compared with their files. */
  readonly journalBytes: number
  /** Files that changed after this were changed by somebody else. */
  readonly lastAtMs: number
}

/**
 * Knows how far the files of an output folder are surely on the disk. Every few seconds of work it notes the time and
 * the length of the journal, and which start of the system this is. After another start, everything that was finished
 * less than a minute before the last note may have been in memory only. Described in docs/formats.md.
 */
export class SafePoints {
  /** Set when the system was started anew since the last run. */
  readonly loss: PowerLoss | undefined
  readonly #path: string
  readonly #boot: string
  readonly #points: Point[] = []
  #writtenMs = -Infinity

  constructor(path: string, boot: string = bootId()) {
    this.#path = path
    this.#boot = boot
    const known = read(path)
    if (!known) return
    if (isSameBoot(known.boot, boot)) this.#points.push(...known.points)
    else this.loss = lossOf(known.points)
  }

  /** To be called while files are finished; writes a note now and then. Failures are of no matter: it tries again. */
  note(journalBytes: number): void {
    const nowMs = performance.now()
    if (nowMs - this.#writtenMs < everyMs) return
    this.#writtenMs = nowMs
    this.#write(journalBytes)
  }

  /** The last note of a run. */
  close(journalBytes: number): void {
    if (this.#writtenMs > -Infinity) this.#write(journalBytes)
  }

  /** The journal was written anew: its old lengths mean nothing. */
  static forget(path: string): void {
    rmSync(path, { force: true })
  }

  #write(journalBytes: number): void {
    const atMs = Date.now()
    this.#points.push({ atMs, journalBytes })
    // One that is old enough is kept as the safe one; what lies before it is not needed.
    while ((this.#points[1]?.atMs ?? atMs) <= atMs - writebackMs) this.#points.shift()
    const text = JSON.stringify({ version: formats.safePoints, boot: this.#boot, points: this.#points })
    try {
      writeFileSync(`${this.#path}.new`, text)
      renameSync(`${this.#path}.new`, this.#path)
    } catch {
      // Without the note more is compared after a loss of power, or, where there never was one, nothing.
    }
  }
}

function lossOf(points: readonly Point[]): PowerLoss | undefined {
  const last = points.at(-1)
  if (!last) return undefined
  const safe = points.findLast(({ atMs }) => atMs <= last.atMs - writebackMs)
  return { journalBytes: safe?.journalBytes ?? 0, lastAtMs: last.atMs }
}

function read(path: string): { readonly boot: string; readonly points: readonly Point[] } | undefined {
  try {
    const { version, boot, points } = JSON.parse(readFileSync(path, 'utf8')) as {
      readonly version?: unknown
      readonly boot?: unknown
      readonly points?: unknown
    }
    if (version !== formats.safePoints || typeof boot !== 'string' || !Array.isArray(points)) return undefined
    return { boot, points: points.filter(isPoint) }
  } catch {
    return undefined
  }
}

function isPoint(value: unknown): value is Point {
  if (typeof value !== 'object' || value === null) return false
  const { atMs, journalBytes } = value as Partial<Point>
  return Number.isFinite(atMs) && Number.isFinite(journalBytes)
}

/** Tells one start of the system from another: its id on Linux, else its time. */
function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return `at ${Math.round(Date.now() - uptime() * 1000)}`
  }
}

function isSameBoot(before: string, now: string): boolean {
  if (before === now) return true
  const [a, b] = [/^at (\d+)$/.exec(before)?.[1], /^at (\d+)$/.exec(now)?.[1]]
  return a !== undefined && b !== undefined && Math.abs(Number(a) - Number(b)) < bootToleranceMs
}

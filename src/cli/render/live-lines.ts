import { formatSize, type Progress } from '../../core/index.ts'
import type { WatchedItem } from './active-items.ts'
import { cutEnd, displayWidth, padTo } from './display-width.ts'
import type { LiveLine } from './live-area.ts'
import { printableText } from './printable-text.ts'
import { bytesPart, countPart, etaPart, formatCount, formatSpeed, pausePart } from './progress-parts.ts'
import type { Style } from './style.ts'

const barCells = 20
/** Narrower screens show no bar. */
const columnsForBar = 72

/** A piece of the total line. Those of the lowest rank go first where the line is too long. */
interface Part {
  readonly text: string
  readonly rank: number
  readonly paint?: (text: string) => string
}

/** The line of one transfer: name, bar, share, bytes, speed, connections. Never wider than `columns`. */
export function itemLine(item: WatchedItem, columns: number, style: Style): LiveLine {
  const size = item.sizeBytes
  const share = size === undefined || size <= 0 ? undefined : Math.min(1, item.doneBytes / size)
  const percent = share === undefined ? '' : `${Math.floor(share * 100)}%`
  // Bytes that came twice, at the end of a file, are counted twice.
  const done = formatSize(Math.min(item.doneBytes, size ?? Infinity))
  const bytes = size === undefined ? done : `${done}/${formatSize(size)}`
  const speed = item.speedBps === undefined ? '' : formatSpeed(item.speedBps)
  const connections = item.connections > 1 ? `x${item.connections}` : ''
  const bar = columns >= columnsForBar ? `${barOf(share)} ` : ''
  const facts = `${bar}${percent.padStart(4)} ${bytes.padStart(17)} ${speed.padStart(10)} ${connections.padStart(3)}`
  const room = columns - facts.length - 3
  // Where the facts leave no room for a name, the share alone must do.
  const text =
    room >= 8
      ? `  ${padTo(printableText(item.name), room)} ${facts}`
      : `${padTo(printableText(item.name), Math.max(0, columns - 5))} ${percent.padStart(4)}`
  const line = cutEnd(text.trimEnd(), columns)
  return { text: style.quiet(line), columns: displayWidth(line) }
}

/** What the total line says beside the counters. */
export interface TotalNotes {
  /** Such as `paused` or `packing`. */
  readonly phase?: string
}

/** The line of the whole job: done/total, bytes, speed, ETA, active, failed, pauses. Never wider than `columns`. */
export function totalLine(progress: Progress, notes: TotalNotes, columns: number, style: Style): LiveLine {
  const eta = etaPart(progress)
  const pause = pausePart(progress.hosts)
  const parts: Part[] = [
    ...(notes.phase === undefined ? [] : [{ text: printableText(notes.phase), rank: 3, paint: style.warn }]),
    { text: countPart(progress), rank: 9, paint: style.strong },
    { text: bytesPart(progress), rank: 6 },
    { text: formatSpeed(progress.speedBps), rank: 8 },
    ...(eta === undefined ? [] : [{ text: eta, rank: 5 }]),
    { text: `${formatCount(progress.active)} active`, rank: 1 },
    ...(progress.failed === 0
      ? []
      : [{ text: `${formatCount(progress.failed)} failed`, rank: 7, paint: style.bad }]),
    ...(progress.skipped === 0 ? [] : [{ text: `${formatCount(progress.skipped)} skipped`, rank: 0 }]),
    ...(pause === undefined ? [] : [{ text: pause, rank: 2, paint: style.warn }]),
  ]
  return joinParts(parts, columns)
}

const gap = '  '

function joinParts(all: readonly Part[], columns: number): LiveLine {
  let parts = all
  while (parts.length > 1 && widthOf(parts) > columns) {
    const lowest = Math.min(...parts.map((part) => part.rank))
    parts = parts.filter((part) => part.rank !== lowest)
  }
  const width = widthOf(parts)
  if (width <= columns) {
    return { text: parts.map((part) => part.paint?.(part.text) ?? part.text).join(gap), columns: width }
  }
  const text = cutEnd(parts[0]?.text ?? '', columns)
  return { text, columns: displayWidth(text) }
}

function widthOf(parts: readonly Part[]): number {
  return parts.reduce((sum, part) => sum + displayWidth(part.text) + gap.length, -gap.length)
}

function barOf(share: number | undefined): string {
  if (share === undefined) return `[${' '.repeat(barCells)}]`
  const filled = Math.floor(share * barCells)
  return `[${'='.repeat(filled)}${filled < barCells ? '>' : ''}${' '.repeat(Math.max(0, barCells - filled - 1))}]`
}

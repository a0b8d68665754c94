import { formatDuration, formatSize, type HostProgress, type Progress } from '../../core/index.ts'
import { printableText } from './printable-text.ts'

/** `30,000`: digits in groups of three, the same in every locale. */
export function formatCount(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** `2.10 MiB/s`. */
export function formatSpeed(bytesPerSecond: number): string {
  return `${formatSize(bytesPerSecond)}/s`
}

/** `1m05s`, `3s`: whole seconds, begun ones counted, so that a count-down does not flicker. */
export function formatWholeSeconds(durationMs: number): string {
  const seconds = Math.max(0, Math.ceil(durationMs / 1000))
  return seconds < 10 ? `${seconds}s` : formatDuration(seconds * 1000)
}

/** `1,204/30,000`, with `+` while the input is still being read. */
export function countPart(progress: Progress): string {
  const done = progress.ok + progress.skipped + progress.failed
  return `${formatCount(done)}/${formatCount(progress.planned)}${progress.plannedIsFinal ? '' : '+'}`
}

/** `1.2 GiB/3.4 GiB`; the second only where more is known to come. */
export function bytesPart(progress: Progress): string {
  const done = formatSize(progress.doneBytes)
  return progress.knownBytes > progress.doneBytes ? `${done}/${formatSize(progress.knownBytes)}` : done
}

/** `ETA 1m05s`; undefined where nobody can say. */
export function etaPart(progress: Progress): string | undefined {
  return progress.etaMs === undefined || !Number.isFinite(progress.etaMs)
    ? undefined
    : `ETA ${formatWholeSeconds(progress.etaMs)}`
}

/** `example.org waits 12s`, the longest pause first, and how many more hosts wait. */
export function pausePart(hosts: readonly HostProgress[]): string | undefined {
  let longest: HostProgress | undefined
  let waiting = 0
  for (const host of hosts) {
    if (host.pausedMs === undefined || host.pausedMs <= 0) continue
    waiting++
    if (longest === undefined || host.pausedMs > (longest.pausedMs ?? 0)) longest = host
  }
  if (longest === undefined) return undefined
  const wait = formatWholeSeconds(longest.pausedMs ?? 0)
  return `${printableText(longest.host)} waits ${wait}${waiting > 1 ? ` (+${waiting - 1} hosts)` : ''}`
}

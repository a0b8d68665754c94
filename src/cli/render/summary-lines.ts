import { catalog, formatDuration, formatSize, isErrorCode, type JobStats } from '../../core/index.ts'
import { describeError, failuresShown, type EventMessages } from './event-messages.ts'
import { messageLine } from './message-line.ts'
import { printableText } from './printable-text.ts'
import { formatCount, formatSpeed } from './progress-parts.ts'
import type { JobEnding } from './renderer.ts'
import type { Style } from './style.ts'

/**
 * The end of a job in a few lines: the first failures that were not told yet, where the others are, failures by
 * reason, counts and time, bytes and mean speed.
 */
export function summaryLines(
  stats: JobStats,
  ending: JobEnding,
  messages: EventMessages,
  style: Style,
): readonly string[] {
  // Where nothing could start, there is nothing to sum up.
  if (stats.planned === 0 && ending.error !== undefined) return errorLine(ending, style)
  return [
    ...lateFailures(ending, messages, style),
    ...reasonLines(stats),
    ...restLine(stats, ending, messages),
    countLine(stats, style),
    bytesLine(stats),
    ...reuseLine(stats),
    ...(stats.unfinished === 0 ? [] : ['unfinished: run the same command again to go on']),
    ...errorLine(ending, style),
  ]
}

/** Failures whose events were lost on the way. */
export function lateFailures(ending: JobEnding, messages: EventMessages, style: Style): string[] {
  const lines: string[] = []
  for (const outcome of (ending.failures ?? []).slice(0, failuresShown)) {
    const message = messages.ofFailure(outcome)
    if (message !== undefined) lines.push(messageLine(message, style))
  }
  return lines
}

/** What ended the whole job, where it did not just come to its end. */
export function errorLine(ending: JobEnding, style: Style): string[] {
  return ending.error === undefined ? [] : [style.bad(`error: ${describeError(ending.error)}`)]
}

/** How many failures were not told, and where they are. */
export function restLine(stats: JobStats, ending: JobEnding, messages: EventMessages): string[] {
  const rest = stats.failed - messages.failuresTold
  if (rest <= 0) return []
  const where = ending.reportPath === undefined ? '' : `: see ${printableText(ending.reportPath)}`
  return [`${formatCount(rest)} more failed${where}`]
}

function reasonLines(stats: JobStats): string[] {
  const reasons = Object.entries(stats.failures).filter(([, count]) => count > 0)
  reasons.sort(([codeA, a], [codeB, b]) => b - a || (codeA < codeB ? -1 : 1))
  return reasons.map(([code, count]) => {
    const summary = isErrorCode(code) ? `: ${catalog[code].summary}` : ''
    return `${formatCount(count)} x ${printableText(code)}${summary}`
  })
}

function countLine(stats: JobStats, style: Style): string {
  const parts = [
    style.good(`${formatCount(stats.ok)} ok`),
    `${formatCount(stats.skipped)} skipped`,
    stats.failed === 0 ? '0 failed' : style.bad(`${formatCount(stats.failed)} failed`),
    ...(stats.unfinished === 0 ? [] : [style.warn(`${formatCount(stats.unfinished)} unfinished`)]),
  ]
  return `${parts.join(', ')} of ${formatCount(stats.planned)} in ${formatDuration(stats.durationMs)}`
}

function bytesLine(stats: JobStats): string {
  const retries =
    stats.retries === 0 ? '' : `, ${formatCount(stats.retries)} ${stats.retries === 1 ? 'retry' : 'retries'}`
  return (
    `${formatSize(stats.sizeBytes)} in files, ${formatSize(stats.fetchedBytes)} fetched, ` +
    `mean ${formatSpeed(stats.meanSpeedBps)}${retries}`
  )
}

function reuseLine(stats: JobStats): string[] {
  const reuse = stats.reuse
  if (reuse === undefined || reuse.checks === 0) return []
  return [
    `${formatCount(reuse.hits)} of ${formatCount(reuse.checks)} found here already, ` +
      `${formatSize(reuse.savedBytes)} not fetched`,
  ]
}

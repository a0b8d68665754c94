import { catalog, formatSize, isErrorCode } from '../core/index.ts'
import type { CleanedFolder, FolderStatus, LookedAtFolder } from '../session/index.ts'
import { formatCount } from './render/index.ts'

type Item = ReturnType<LookedAtFolder['items']> extends Iterable<infer I> ? I : never

/** An output folder in lines for people; `path` as they gave it. */
export function statusLines(status: FolderStatus, path: string): string[] {
  const { finished, failed, unfinished, books, dataset, worker, parts, journal } = status
  const kept = unfinished.keptBytes === 0 ? '' : `, ${formatSize(unfinished.keptBytes)} kept`
  const reasons = Object.entries(failed.byCode).toSorted(
    ([codeA, a], [codeB, b]) => b - a || (codeA < codeB ? -1 : 1),
  )
  return [
    `${path}: ${formatCount(finished.count)} finished (${formatSize(finished.bytes)}), ` +
      `${formatCount(failed.count)} failed, ${formatCount(unfinished.count)} unfinished${kept}`,
    ...reasons.map(([code, count]) => `${formatCount(count)} x ${code}${summaryOf(code)}`),
    ...(worker ? [`process ${worker.pid} on ${worker.host} works here now`] : []),
    ...(books
      ? [`${counted(books.made, 'book')} made, ${formatCount(books.unfinished)} unfinished in staging`]
      : []),
    ...(dataset
      ? [
          `dataset: ${formatCount(dataset.shards.committed)} of ${formatCount(dataset.shards.planned)} shards done; ` +
            `more: trawl dataset status -d ${path}`,
        ]
      : []),
    ...damageLines(journal),
    ...(parts.orphans > 0
      ? [`${counted(parts.orphans, 'part')} of nothing on record; take away: trawl clean ${path}`]
      : []),
  ]
}

function damageLines({ damage, tornBytes }: FolderStatus['journal']): string[] {
  const lost = damage.reduce((sum, { lostBytes }) => sum + lostBytes, 0)
  return [
    ...(damage.length > 0
      ? [
          `the journal is damaged in ${counted(damage.length, 'place')} (${formatCount(lost)} bytes): ` +
            'what stood there is not counted, and is fetched again',
        ]
      : []),
    ...(tornBytes > 0
      ? [
          `the journal ends in ${formatCount(tornBytes)} bytes of a record that was cut off; the next run removes them`,
        ]
      : []),
  ]
}

/** A failed or unfinished item in one line. */
export function itemLine({ status, input, path, bytes, sizeBytes, error }: Item): string {
  if (status === 'failed') return `failed: ${input}: ${error?.message ?? ''}${keptText(bytes, sizeBytes)}`
  return `unfinished: ${path ?? input}${keptText(bytes, sizeBytes)}`
}

function keptText(bytes: number, sizeBytes: number | undefined): string {
  if (bytes === 0) return ''
  return `, ${formatSize(bytes)}${sizeBytes === undefined ? '' : ` of ${formatSize(sizeBytes)}`} kept`
}

function summaryOf(code: string): string {
  return isErrorCode(code) ? `: ${catalog[code].summary}` : ''
}

function counted(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`
}

/** What cleaning did, or would do, in lines for people. */
export function cleanLines(cleaned: CleanedFolder, path: string): string[] {
  const { dryRun, parts, staging, journal, recovered, left } = cleaned
  const verb = dryRun ? 'would take away' : 'took away'
  const lines = [
    `${path}: ${verb} ${counted(parts.count, 'part')} (${formatSize(parts.bytes)}), ` +
      `${counted(staging.count, 'staged item')} (${formatSize(staging.bytes)})`,
  ]
  if (recovered > 0) lines.push(`${counted(recovered, 'file')} had all bytes and got the name`)
  if (journal) {
    const { beforeBytes, afterBytes } = journal
    lines.push(
      afterBytes === undefined
        ? `would write the journal (${formatSize(beforeBytes)}) anew, without what no longer counts`
        : `journal: ${formatSize(beforeBytes)} before, ${formatSize(afterBytes)} now`,
    )
  }
  for (const each of left) lines.push(`left alone, since it is not trawl's: ${each}`)
  return lines
}

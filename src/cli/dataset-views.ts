import { formatSize } from '../core/index.ts'
import type { DatasetStatus, PlanManifest } from '../datasets/index.ts'
import { formatCount } from './render/index.ts'

/** What a plan holds, in lines for people. */
export function planLines(
  manifest: PlanManifest,
  { dir, dryRun }: { readonly dir: string; readonly dryRun: boolean },
): string[] {
  const read = manifest.parts.reduce((sum, part) => sum + part.readCount, 0)
  const problems = manifest.parts.reduce((sum, part) => sum + part.problemCount, 0)
  return [
    `${formatCount(manifest.rowCount)} of ${formatCount(read)} rows ${dryRun ? 'would be planned' : 'planned'}, ` +
      `in ${formatCount(manifest.shardCount)} ${manifest.shardCount === 1 ? 'shard' : 'shards'}: ${dir}`,
    ...(problems === 0
      ? []
      : [`${formatCount(problems)} of them cannot be fetched: no URL, or not readable`]),
  ]
}

/** How far a dataset is, in lines for people. */
export function statusLines(status: DatasetStatus, out: string, meaning: (code: string) => string): string[] {
  const { shards, rows } = status
  const codes = Object.entries(status.codes).filter(([code]) => code !== 'success')
  return [
    `${out}: ${formatCount(shards.committed)} of ${formatCount(shards.planned)} shards done`,
    `${formatCount(rows.done)} of ${formatCount(rows.planned)} rows: ${formatCount(rows.success)} images, ` +
      `${formatCount(rows.failed_to_download)} failed to download, ${formatCount(rows.failed_to_resize)} failed to resize`,
    `${formatSize(status.fetchedBytes)} fetched, ${formatSize(status.imageBytes)} of images, ` +
      `${formatCount(status.attempts)} attempts`,
    ...codes.map(([code, count]) => `${formatCount(count)} x ${code}: ${meaning(code)}`),
    ...status.faults.map((fault) => `fault: ${fault}`),
  ]
}

import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BenchReport, Target } from './benchmark.ts'
import type { ContenderRuns } from './compare.ts'
import type { Machine } from './machine.ts'
import { medianOf, ratio } from './ratios.ts'

const bytesPerMiB = 1024 * 1024

/** The table of a benchmark: medians, and what ours is of each peer's. */
export function formatTable(report: BenchReport): string {
  const [ours] = report.contenders
  const manyFiles = report.work.files > 1
  const head = [
    '',
    'wall s',
    manyFiles ? 'files/s' : 'MiB/s',
    'CPU s',
    manyFiles ? 'CPU us/file' : 'CPU ms/MiB',
  ]
  const rows = [[...head, 'peak MiB', 'wall ours/it', 'CPU ours/it']]
  for (const contender of report.contenders) {
    const fault = contender.runs.find((run) => run.fault !== undefined)?.fault
    const isOurs = contender === ours
    rows.push([
      contender.name,
      ...numbersOf(contender, report.work),
      isOurs ? '' : shown(ratio(ours, contender, 'wallMs')),
      isOurs ? '' : shown(ratio(ours, contender, 'cpuMs')),
      ...(fault === undefined ? [] : [`FAILED: ${fault}`]),
    ])
  }
  return aligned(rows)
}

/** One line for each target: what was reached, and whether it is enough. */
export function formatTargets(targets: readonly Target[]): string {
  return targets
    .map((target) => {
      const verdict = target.value === undefined ? 'not measured' : isMet(target) ? 'met' : 'MISSED'
      return `  ${verdict.padEnd(13)}${target.what}: ${shown(target.value)} (${target.sense} ${target.limit})`
    })
    .join('\n')
}

/** Whether a measured target is reached. */
export function isMet(target: Target): boolean {
  if (target.value === undefined) return false
  return target.sense === 'at most' ? target.value <= target.limit : target.value >= target.limit
}

/** Writes `NAME.json` into `folder`, whole or not at all, and returns its path. */
export function writeResult(
  folder: string,
  result: {
    readonly name: string
    readonly scale: number
    readonly machine: Machine
    readonly report: BenchReport
  },
): string {
  const { name, scale, machine, report } = result
  const [ours] = report.contenders
  const document = {
    benchmark: name,
    at: new Date().toISOString(),
    scale,
    machine,
    work: report.work,
    targets: report.targets.map((target) => ({ ...target, met: isMet(target) })),
    contenders: report.contenders.map((contender) => ({
      name: contender.name,
      version: contender.version,
      wallMs: medianOf(contender, 'wallMs'),
      cpuMs: medianOf(contender, 'cpuMs'),
      peakRssBytes: medianOf(contender, 'peakRssBytes'),
      wallRatio: ratio(ours, contender, 'wallMs'),
      cpuRatio: ratio(ours, contender, 'cpuMs'),
      runs: contender.runs.map(({ stderr, ...run }) => (run.fault === undefined ? run : { ...run, stderr })),
    })),
    facts: report.facts,
  }
  mkdirSync(folder, { recursive: true })
  // Runs of another size must not replace the numbers that the targets are about.
  const path = join(folder, scale === 1 ? `${name}.json` : `${name}.scaled.json`)
  writeFileSync(`${path}.tmp`, `${JSON.stringify(document, rounded, 2)}\n`)
  renameSync(`${path}.tmp`, path)
  return path
}

function numbersOf(contender: ContenderRuns, work: BenchReport['work']): readonly string[] {
  const wallMs = medianOf(contender, 'wallMs')
  const cpuMs = medianOf(contender, 'cpuMs')
  const peak = medianOf(contender, 'peakRssBytes')
  if (wallMs === undefined || cpuMs === undefined || peak === undefined) return ['-', '-', '-', '-', '-']
  const amount = work.files > 1 ? work.files : work.bytes / bytesPerMiB
  return [
    (wallMs / 1000).toFixed(2),
    (amount / (wallMs / 1000)).toFixed(0),
    (cpuMs / 1000).toFixed(2),
    work.files > 1 ? ((cpuMs * 1000) / amount).toFixed(0) : (cpuMs / amount).toFixed(2),
    (peak / bytesPerMiB).toFixed(0),
  ]
}

function shown(value: number | undefined): string {
  if (value === undefined) return '-'
  return Math.abs(value) < 100 ? value.toFixed(2) : value.toFixed(0)
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .map((row) => {
      const cells = row.map((cell, column) => {
        const width = widths[column] ?? 0
        return column === 0 ? cell.padEnd(width) : cell.padStart(width)
      })
      return `  ${cells.join('  ')}`.trimEnd()
    })
    .join('\n')
}

function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Math.round(value * 1000) / 1000 : value
}

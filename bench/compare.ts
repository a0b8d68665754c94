import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { emptyFolder } from './bench-folder.ts'
import type { Contender } from './contender.ts'
import { measureCommand, type Measurement } from './measure.ts'

/** A run of a contender, with what was wrong with its result. */
export interface Run extends Measurement {
  readonly round: number
  /** What was wrong: the exit code, or bytes that are not the origin's. */
  readonly fault?: string
}

/** All runs of one contender. */
export interface ContenderRuns {
  readonly name: string
  readonly version: string
  readonly runs: readonly Run[]
}

/** What is compared, and how often. */
export interface CompareOptions {
  /** The first is ours. */
  readonly contenders: readonly Contender[]
  readonly rounds: number
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
  readonly timeoutMs: number
  /** Looks at a finished download; returns what is wrong with it. */
  readonly check: (folder: string) => string | undefined
  readonly say: (line: string) => void
  /** Called before and after each run, to read an origin's counters. */
  readonly onStart?: (contender: Contender) => Promise<void> | void
  readonly onEnd?: (contender: Contender, run: Run) => Promise<void> | void
}

/**
 * Runs all contenders in every round, each round beginning with another one, so that a machine that gets busier hurts
 * all alike. A contender that fails once is not run again; the others go on.
 */
export async function compare(options: CompareOptions): Promise<readonly ContenderRuns[]> {
  const { contenders, rounds, say } = options
  const results = contenders.map(({ name, version }) => ({ name, version, runs: [] as Run[] }))
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const index = (turn + round) % contenders.length
      const contender = contenders[index]
      const result = results[index]
      if (contender === undefined || result === undefined) continue
      if (result.runs.some((run) => run.fault !== undefined)) continue
      const run = await runOnce(contender, round, options)
      result.runs.push(run)
      const took = `${(run.wallMs / 1000).toFixed(2)} s, CPU ${(run.cpuMs / 1000).toFixed(2)} s`
      say(`  round ${round + 1}/${rounds}  ${contender.name.padEnd(18)} ${run.fault ?? took}`)
    }
  }
  return results
}

async function runOnce(contender: Contender, round: number, options: CompareOptions): Promise<Run> {
  const out = emptyFolder(options.folder, 'out')
  await options.onStart?.(contender)
  const run = await runInto(contender, out, { ...options, round })
  await options.onEnd?.(contender, run)
  rmSync(out, { recursive: true, force: true })
  return run
}

/** Surroundings of one run. */
export interface RunOptions extends Pick<CompareOptions, 'folder' | 'env' | 'timeoutMs' | 'check'> {
  readonly round: number
  readonly onSample?: (elapsedMs: number) => void
}

/** Runs a contender once into the folder `out`, as it is, and checks what is there then. */
export async function runInto(contender: Contender, out: string, options: RunOptions): Promise<Run> {
  const measured = await measureCommand(contender.command(out), {
    ...options,
    stderrPath: join(options.folder, 'stderr.txt'),
  })
  const fault = measured.exitCode === 0 ? options.check(out) : failureOf(measured, options.timeoutMs)
  return { ...measured, round: options.round, ...(fault === undefined ? {} : { fault }) }
}

function failureOf(measured: Measurement, timeoutMs: number): string {
  const last = measured.stderr.trim().split('\n').slice(-3).join(' | ')
  if (measured.exitCode === null && measured.wallMs >= timeoutMs)
    return `killed after ${timeoutMs / 1000} s: ${last}`
  return `exit code ${measured.exitCode ?? 'none (killed)'}: ${last}`
}

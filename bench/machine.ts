import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os'

/** The machine a benchmark ran on, and how busy it was. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryBytes: number
  readonly system: string
  readonly node: string
  /** Load averages of 1, 5 and 15 minutes before the first run. */
  readonly loadBefore: readonly number[]
  readonly memoryFileSystem: boolean
}

/** Describes this machine as it is now. */
export function describeMachine(memoryFileSystem: boolean): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    system: `${type()} ${release()}`,
    node: process.version,
    loadBefore: loadavg().map((value) => Math.round(value * 100) / 100),
    memoryFileSystem,
  }
}

/** What to know before believing the numbers, one line each. */
export function machineWarnings(machine: Machine): readonly string[] {
  const warnings: string[] = []
  const load = machine.loadBefore[0] ?? 0
  if (load > 1) {
    warnings.push(
      `the machine is busy (load ${load} on ${machine.cores} cores): trust CPU ratios, not wall time`,
    )
  }
  if (!machine.memoryFileSystem)
    warnings.push('there is no /dev/shm: files go to a disk, whose speed is measured too')
  return warnings
}

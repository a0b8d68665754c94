import { availableParallelism, cpus, release, totalmem, type } from 'node:os'
import { formatSize, version } from '../../core/index.ts'
import type { Machine } from './comparison.ts'

/** Describes this machine, so that numbers can be judged elsewhere. */
export function thisMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown processor',
    processors: availableParallelism(),
    memoryBytes: totalmem(),
    system: `${type()} ${release()}`,
    node: process.version,
    trawl: version,
  }
}

/** The machine in one line. */
export function describeMachine({ cpu, processors, memoryBytes, system, node, trawl }: Machine): string {
  const count = processors === 1 ? '1 processor' : `${processors} processors`
  return `${cpu}, ${count}, ${formatSize(memoryBytes)}, ${system}, Node ${node.replace(/^v/, '')}, trawl ${trawl}`
}

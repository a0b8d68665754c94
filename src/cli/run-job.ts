import { catalog } from '../core/index.ts'
import type { Job, JobResult } from '../jobs/index.ts'
import type { CliContext } from './cli-context.ts'
import { createRenderer, type JobView } from './render/index.ts'

export interface RunJobOptions {
  readonly json: boolean
  readonly quiet: boolean
  readonly verbose: boolean
  readonly progress: 'auto' | 'live' | 'plain' | 'none'
  readonly report?: string | undefined
  /** The file itself goes to standard output, so nothing else may. */
  readonly toStdout?: boolean
}

/**
 * Shows a job until it ends and gives the exit code. The first interrupt drains the job, the second ends it at once;
 * both leave resumable state. The third is not caught: it ends the process as the system does.
 */
export async function runJob(job: Job, options: RunJobOptions, context: CliContext): Promise<number> {
  const renderer = createRenderer(options, { ...context, env: context.surroundings.env })
  const view: JobView = {
    progress: () => job.progress(),
    activeItems: (limit) => job.activeItems(limit),
    onEvent: (listen) => job.onEvent(listen, { items: options.json || options.verbose }),
  }
  let interrupts = 0
  const stopListening = context.onInterrupt(() => {
    interrupts++
    void job.cancel({ drain: interrupts === 1 })
    if (interrupts === 1)
      renderer.say('stopping when what is active has ended; interrupt again to stop at once')
    if (interrupts === 2) stopListening()
  })
  renderer.start(view)
  const result = await job.result
  stopListening()
  context.closeStdin()
  renderer.stop(result.stats, {
    ...(options.report === undefined ? {} : { reportPath: options.report }),
    ...(result.error ? { error: result.error } : {}),
  })
  return exitCodeOf(result)
}

function exitCodeOf(result: JobResult): number {
  if (result.error) return catalog[result.error.code].exitCode
  if (result.status === 'cancelled') return 130
  return result.stats.failed > 0 ? 1 : 0
}

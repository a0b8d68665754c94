import { formatDuration, type Clock, type JobStats, type Progress } from '../../core/index.ts'
import { EventMessages } from './event-messages.ts'
import { JobPhase } from './job-phase.ts'
import { messageLine } from './message-line.ts'
import { printableText } from './printable-text.ts'
import { bytesPart, countPart, etaPart, formatCount, formatSpeed, pausePart } from './progress-parts.ts'
import type { JobEnding, JobView, Output, Renderer } from './renderer.ts'
import type { Style } from './style.ts'
import { errorLine, lateFailures, restLine, summaryLines } from './summary-lines.ts'
import { startTicker } from './ticker.ts'

const defaultPeriodMs = 5000

export interface PlainRendererOptions {
  readonly output: Output
  readonly clock: Clock
  readonly style: Style
  readonly verbose: boolean
  /** Time between two lines of progress; default 5 s. 0: none. */
  readonly periodMs?: number
  /** `all` (default): failures, notices and the summary; `failures`: nothing but failures. */
  readonly tells?: 'all' | 'failures'
}

/** Lines for logs and pipes: one of progress every few seconds, failures and notices as they come, a summary. */
export function createPlainRenderer(options: PlainRendererOptions): Renderer {
  const { output, style } = options
  const tellsAll = options.tells !== 'failures'
  const messages = new EventMessages({ verbose: options.verbose && tellsAll })
  const phase = new JobPhase()
  let undo: (() => void)[] = []
  let state: 'new' | 'running' | 'stopped' = 'new'
  const print = (lines: readonly string[]): void => {
    if (lines.length > 0) output.write(`${lines.join('\n')}\n`)
  }

  return {
    start(view: JobView): void {
      if (state !== 'new') return
      state = 'running'
      undo = [
        view.onEvent((event) => {
          phase.onEvent(event)
          const message = messages.of(event)
          if (message !== undefined && (tellsAll || message.loudness === 'failure')) {
            print([messageLine(message, style)])
          }
        }),
      ]
      const periodMs = options.periodMs ?? defaultPeriodMs
      if (!tellsAll || periodMs <= 0) return
      undo.push(
        startTicker(options.clock, periodMs, () => print([progressLine(view.progress(), phase.text)])),
      )
    },
    say(text: string): void {
      if (state === 'running' && tellsAll) print([style.warn(text)])
    },
    stop(stats?: JobStats, ending: JobEnding = {}): void {
      if (state === 'stopped') return
      state = 'stopped'
      for (const end of undo) end()
      if (stats === undefined) return
      print(
        tellsAll
          ? summaryLines(stats, ending, messages, style)
          : [
              ...lateFailures(ending, messages, style),
              ...restLine(stats, ending, messages),
              ...errorLine(ending, style),
            ],
      )
    },
  }
}

/** `[1m05s] 1,204/30,000, 1.20 GiB, 35.0 MiB/s, ETA 3m10s, 16 active, 3 failed`. */
function progressLine(progress: Progress, phase: string | undefined): string {
  const parts = [
    phase === undefined ? undefined : printableText(phase),
    countPart(progress),
    bytesPart(progress),
    formatSpeed(progress.speedBps),
    etaPart(progress),
    `${formatCount(progress.active)} active`,
    progress.skipped === 0 ? undefined : `${formatCount(progress.skipped)} skipped`,
    progress.failed === 0 ? undefined : `${formatCount(progress.failed)} failed`,
    pausePart(progress.hosts),
  ]
  const said = parts.filter((part) => part !== undefined)
  return `[${formatDuration(Math.round(progress.elapsedMs / 1000) * 1000)}] ${said.join(', ')}`
}

import type { Clock, DownloadEvent, JobStats } from '../../core/index.ts'
import { ActiveItems } from './active-items.ts'
import { EventMessages } from './event-messages.ts'
import { JobPhase } from './job-phase.ts'
import { LiveArea, plainLine, type LiveLine } from './live-area.ts'
import { itemLine, totalLine } from './live-lines.ts'
import { messageLine } from './message-line.ts'
import type { JobEnding, JobView, Renderer, Terminal } from './renderer.ts'
import type { Style } from './style.ts'
import { summaryLines } from './summary-lines.ts'
import { startTicker } from './ticker.ts'

/** Eight paints a second: quick enough to follow, slow enough to cost nothing. */
const periodMs = 125
const mostItemLines = 5

export interface TerminalRendererOptions {
  readonly terminal: Terminal
  readonly clock: Clock
  readonly style: Style
  readonly verbose: boolean
}

/**
 * Live lines on a terminal: one for each of the longest transfers, up to five, and one for the whole job, painted in
 * place eight times a second. Failures and notices go above them and stay.
 */
export function createTerminalRenderer(options: TerminalRendererOptions): Renderer {
  const area = new LiveArea(options.terminal)
  const messages = new EventMessages(options)
  const items = new ActiveItems()
  const phase = new JobPhase()
  let undo: (() => void)[] = []
  let state: 'new' | 'running' | 'stopped' = 'new'

  const onEvent = (event: DownloadEvent): void => {
    phase.onEvent(event)
    const message = messages.of(event)
    if (message !== undefined) area.printAbove(messageLine(message, options.style))
  }

  return {
    start(view: JobView): void {
      if (state !== 'new') return
      state = 'running'
      const paint = (): void => area.draw(liveLines(view, { items, phase, options }))
      undo = [view.onEvent(onEvent), startTicker(options.clock, periodMs, paint)]
      const stopResize = options.terminal.onResize?.(paint)
      if (stopResize !== undefined) undo.push(stopResize)
      paint()
    },
    say(text: string): void {
      if (state === 'running') area.printAbove(options.style.warn(text))
    },
    stop(stats?: JobStats, ending: JobEnding = {}): void {
      if (state === 'stopped') return
      state = 'stopped'
      for (const end of undo) end()
      area.clear()
      if (stats === undefined) return
      const lines = summaryLines(stats, ending, messages, options.style)
      options.terminal.write(`${lines.join('\n')}\n`)
    },
  }
}

interface Parts {
  readonly items: ActiveItems
  readonly phase: JobPhase
  readonly options: TerminalRendererOptions
}

function liveLines(view: JobView, { items, phase, options }: Parts): readonly LiveLine[] {
  const size = options.terminal.size()
  // The last column stays free: some terminals wrap as soon as it is filled.
  const columns = size.columns - 1
  if (columns < 4) return [plainLine('')]
  const room = Math.max(0, Math.min(mostItemLines, size.rows - 2))
  const active = items.poll(view.activeItems(room), options.clock.now())
  const text = phase.text
  return [
    ...active.map((item) => itemLine(item, columns, options.style)),
    totalLine(view.progress(), text === undefined ? {} : { phase: text }, columns, options.style),
  ]
}

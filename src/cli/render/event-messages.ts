import {
  catalog,
  isErrorCode,
  redact,
  type DownloadEvent,
  type ErrorData,
  type Outcome,
} from '../../core/index.ts'
import { printableText } from './printable-text.ts'
import { formatWholeSeconds } from './progress-parts.ts'

/** How loud a line is. */
export type Loudness = 'failure' | 'warning' | 'notice'

export interface EventMessage {
  readonly loudness: Loudness
  readonly text: string
}

/** So many failures are shown one by one; all are in the report. */
export const failuresShown = 10

/** `message (hint)`. */
export function describeError(error: ErrorData): string {
  const hint = error.hint ?? (isErrorCode(error.code) ? catalog[error.code].hint : '')
  return printableText(hint === '' ? error.message : `${error.message} (${hint})`)
}

/** `input: message (hint)`. */
function describeFailure({ input, error }: Outcome): string {
  const why = error === undefined ? 'failed' : describeError({ ...error, message: without(input, error) })
  return `${printableText(redact(input))}: ${why}`
}

/** The message without the input in front of it, which is told anyway. */
function without(input: string, { message }: ErrorData): string {
  const front = `${redact(input)}: `
  return message.startsWith(front) ? message.slice(front.length) : message
}

/**
 * Turns events into lines for people: failures (the first ten), notices, full volumes; with `verbose` also retries,
 * pauses of hosts and changes of limits. Remembers which failures it told.
 */
export class EventMessages {
  readonly #verbose: boolean
  readonly #told = new Set<string>()

  constructor(options: { readonly verbose: boolean }) {
    this.#verbose = options.verbose
  }

  /** Failures told so far. */
  get failuresTold(): number {
    return this.#told.size
  }

  of(event: DownloadEvent): EventMessage | undefined {
    switch (event.type) {
      case 'task.finished':
        return event.outcome.status === 'failed' ? this.ofFailure(event.outcome) : undefined
      case 'job.notice':
        return {
          loudness: event.error === undefined ? 'notice' : 'warning',
          text: noticeText(event.message, event.error),
        }
      case 'volume.paused':
        return {
          loudness: 'warning',
          text: `waiting: ${printableText(event.path)}: ${describeError(event.error)}`,
        }
      case 'job.paused':
        return { loudness: 'notice', text: `paused: ${printableText(event.reason)}` }
      case 'job.resumed':
        return { loudness: 'notice', text: 'going on' }
      case 'volume.resumed':
        return { loudness: 'notice', text: `going on: ${printableText(event.path)}` }
      default:
        return this.#verbose ? verboseMessage(event) : undefined
    }
  }

  /** The line of a failure, or undefined where ten were told or this one was. */
  ofFailure(outcome: Outcome): EventMessage | undefined {
    if (this.#told.size >= failuresShown || this.#told.has(outcome.id)) return undefined
    this.#told.add(outcome.id)
    return { loudness: 'failure', text: describeFailure(outcome) }
  }
}

function noticeText(message: string, error: ErrorData | undefined): string {
  if (error === undefined) return printableText(message)
  // Many say the reason already.
  if (message.includes(error.message)) return describeError({ ...error, message })
  return `${printableText(message)}: ${describeError(error)}`
}

function verboseMessage(event: DownloadEvent): EventMessage | undefined {
  const text = verboseText(event)
  return text === undefined ? undefined : { loudness: 'notice', text: printableText(redact(text)) }
}

function verboseText(event: DownloadEvent): string | undefined {
  switch (event.type) {
    case 'task.retrying':
      return `again in ${formatWholeSeconds(event.delayMs)} (attempt ${event.attempt}): ${event.input}: ${without(event.input, event.error)}`
    case 'host.paused':
      return `${event.host} waits ${formatWholeSeconds(event.forMs)}: ${event.reason}`
    case 'host.resumed':
      return `${event.host} goes on`
    case 'host.limit':
      return `${event.host}: ${event.limit} at once: ${event.reason}`
    case 'job.phase':
      return event.detail === undefined ? event.phase : `${event.phase}: ${event.detail}`
    case 'gap':
      return `${event.missed} events were not shown`
    default:
      return undefined
  }
}

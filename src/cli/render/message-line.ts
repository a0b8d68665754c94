import type { EventMessage } from './event-messages.ts'
import type { Style } from './style.ts'

/** A message with its colour; a failure says so in words too. */
export function messageLine(message: EventMessage, style: Style): string {
  if (message.loudness === 'failure') return style.bad(`failed: ${message.text}`)
  return message.loudness === 'warning' ? style.warn(message.text) : style.quiet(message.text)
}

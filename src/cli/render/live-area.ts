import { displayWidth } from './display-width.ts'
import type { Terminal } from './renderer.ts'

const escape = '\u001b['
const toLineEnd = `${escape}K`
const toScreenEnd = `${escape}J`
// Hidden and not wrapping only within one write: whatever kills the process, the screen stays usable.
const begin = `${escape}?25l${escape}?7l`
const end = `${escape}?7h${escape}?25h`

/** One line of the area: what it shows, and how wide that is without colours. */
export interface LiveLine {
  readonly text: string
  readonly columns: number
}

/**
 * The lines at the bottom of a terminal that are painted again in place (ECMA-48 cursor control). The cursor rests at
 * the end of the last line. Every paint is one write that hides and shows the cursor itself.
 */
export class LiveArea {
  readonly #terminal: Terminal
  #shown: readonly LiveLine[] = []

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  /** Replaces the lines. Nothing is written where nothing changed. */
  draw(lines: readonly LiveLine[]): void {
    if (isSame(lines, this.#shown)) return
    this.#terminal.write(begin + this.#home() + this.#body(lines) + end)
    this.#shown = lines
  }

  /** Writes lines that stay, above the area. They may be wider than the screen. */
  printAbove(text: string): void {
    const body = this.#body(this.#shown)
    this.#terminal.write(
      `${begin}${this.#home()}${toScreenEnd}${escape}?7h${text}\n${escape}?7l${body}${end}`,
    )
  }

  /** Removes the area; the cursor stands where it began. */
  clear(): void {
    if (this.#shown.length === 0) return
    this.#terminal.write(begin + this.#home() + toScreenEnd + end)
    this.#shown = []
  }

  /** The lines, and nothing below them: there may have been more, or folded ones. */
  #body(lines: readonly LiveLine[]): string {
    return lines.map((line) => line.text + toLineEnd).join('\n\r') + toScreenEnd
  }

  /** To the first column of the first line, as wide as the screen is now: after a resize lines may have folded. */
  #home(): string {
    const { columns } = this.#terminal.size()
    let rows = 0
    for (const line of this.#shown) rows += Math.max(1, Math.ceil(line.columns / Math.max(1, columns)))
    return rows > 1 ? `${escape}${rows - 1}A\r` : '\r'
  }
}

/** A line without colours. */
export function plainLine(text: string): LiveLine {
  return { text, columns: displayWidth(text) }
}

function isSame(a: readonly LiveLine[], b: readonly LiveLine[]): boolean {
  return a.length === b.length && a.every((line, i) => line.text === b[i]?.text)
}

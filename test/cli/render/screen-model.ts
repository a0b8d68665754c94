import { displayWidth } from '../../../src/cli/render/display-width.ts'
import type { Terminal } from '../../../src/cli/render/index.ts'

/**
 * A terminal small enough to be read: it knows what the renderer may use (ECMA-48 CUU, EL, ED, SGR; DEC modes for
 * cursor and wrapping), scrolls, wraps, and throws at anything else. It folds its lines again on a resize, as most
 * terminals do.
 */
export class ScreenModel implements Terminal {
  readonly isTerminal = true
  readonly writes: string[] = []
  cursorVisible = true
  wraps = true
  /** How often a character went past the last column. */
  overflows = 0
  #columns: number
  readonly #rows: number
  /** All lines, scrolled-off ones included; one entry per cell, '' for the second half of a wide one. */
  #lines: string[][] = [[]]
  #row = 0
  #column = 0
  readonly #resizeListeners = new Set<() => void>()

  constructor(columns: number, rows: number) {
    this.#columns = columns
    this.#rows = rows
  }

  size(): { columns: number; rows: number } {
    return { columns: this.#columns, rows: this.#rows }
  }

  onResize(listen: () => void): () => void {
    this.#resizeListeners.add(listen)
    return () => this.#resizeListeners.delete(listen)
  }

  get resizeListeners(): number {
    return this.#resizeListeners.size
  }

  /** Everything that was ever shown and not erased, without trailing spaces and empty lines at the end. */
  get text(): string[] {
    const lines = this.#lines.map((cells) =>
      cells
        .map((cell) => cell ?? ' ')
        .join('')
        .trimEnd(),
    )
    while (lines.at(-1) === '') lines.pop()
    return lines
  }

  get cursor(): { row: number; column: number } {
    return { row: this.#row, column: this.#column }
  }

  resize(columns: number): void {
    const before = this.#lines
    const cursorLine = this.#row
    this.#columns = columns
    this.#lines = []
    for (const [i, cells] of before.entries()) {
      const rows = Math.max(1, Math.ceil(cells.length / columns))
      for (let row = 0; row < rows; row++) this.#lines.push(cells.slice(row * columns, (row + 1) * columns))
      if (i === cursorLine) {
        this.#row = this.#lines.length - 1
        this.#column = cells.length - (rows - 1) * columns
      }
    }
    for (const listen of this.#resizeListeners) listen()
  }

  write(text: string): boolean {
    this.writes.push(text)
    // eslint-disable-next-line no-control-regex
    const tokens = text.matchAll(/\u001b\[([?\d;]*)([A-Za-z])|\r|\n|([^\u001b\r\n]+)|(\u001b)/gu)
    for (const [whole, parameters, command, printed] of tokens) {
      if (whole === '\r') this.#column = 0
      else if (whole === '\n') this.#lineFeed()
      else if (printed !== undefined) this.#print(printed)
      else this.#control(parameters ?? '', command ?? '')
    }
    return true
  }

  #control(parameters: string, command: string): void {
    if (command === 'm') return
    if (command === 'A') {
      const top = Math.max(0, this.#lines.length - this.#rows)
      this.#row = Math.max(top, this.#row - Number(parameters || 1))
    } else if (command === 'K') this.#line().length = Math.min(this.#line().length, this.#column)
    else if (command === 'J') {
      this.#line().length = Math.min(this.#line().length, this.#column)
      this.#lines.length = this.#row + 1
    } else if (parameters === '?25') this.cursorVisible = command === 'h'
    else if (parameters === '?7') this.wraps = command === 'h'
    else throw new Error(`the model does not know ESC [ ${parameters} ${command}`)
  }

  #print(text: string): void {
    for (const { segment } of new Intl.Segmenter().segment(text)) {
      const width = displayWidth(segment)
      if (this.#column + width > this.#columns) {
        this.overflows++
        if (this.wraps) {
          this.#lineFeed()
          this.#column = 0
        } else this.#column = this.#columns - width
      }
      const line = this.#line()
      while (line.length < this.#column) line.push(' ')
      line[this.#column] = segment
      if (width === 2) line[this.#column + 1] = ''
      this.#column += width
    }
  }

  #lineFeed(): void {
    this.#row++
    this.#column = 0
    if (this.#row >= this.#lines.length) this.#lines.push([])
  }

  #line(): string[] {
    const line = this.#lines[this.#row]
    if (line === undefined) throw new Error('the cursor is off the screen')
    return line
  }
}

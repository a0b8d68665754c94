import type { Readable } from 'node:stream'

const keptChars = 4096

/** The end of what a worker wrote on standard error, for saying why it died. */
export class LastWords {
  #text = ''

  listen(stream: Readable): void {
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => (this.#text = (this.#text + text).slice(-keptChars)))
  }

  /** The line that names the error, or `other` where nothing was said. */
  or(other: string): string {
    const lines = this.#text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '')
    return lines.find((line) => /^\w*Error\b|^FATAL/.test(line)) ?? lines.at(-1) ?? other
  }
}

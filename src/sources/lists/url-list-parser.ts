import { isUtf8 } from 'node:buffer'
import { TrawlError, type ErrorCode, type Place } from '../../core/index.ts'
import type { ListEntry } from './list-entry.ts'
import { applyListOption, type MutableListOptions } from './list-option.ts'
import { isPlainUrl, urlFault } from './url-check.ts'

/** Longer lines are faults; no server takes URLs of this length. */
const maxLineBytes = 64 * 1024
const maxShownChars = 2000
const maxMirrorNotices = 10

const newline = 10
const carriageReturn = 13
const letterH = 104

/** Bit 1: the byte needs a closer look. Bit 2: a carriage return. Bit 4: not ASCII. */
const byteClass = new Uint8Array(256).map((_, byte) => {
  if (byte === carriageReturn) return 2
  if (byte > 126) return 4
  return byte <= 32 || '"<>\\^`{|}'.includes(String.fromCharCode(byte)) ? 1 : 0
})

export interface UrlListParserOptions {
  /** The name of the list in messages, such as its path or `standard input`. */
  readonly name: string
  /** Told once for each kind of thing that is passed over. */
  readonly notice: (message: string) => void
}

/** Turns the bytes of a list into entries. Chunks may end anywhere. */
export interface UrlListParser {
  /** Entries that are complete. The last one stays back until the next line shows that it has no more options. */
  push(chunk: Buffer): ListEntry[]
  /** True while a file waits for nothing but the options that may follow it. */
  readonly isHolding: boolean
  /** That file, without waiting any longer: options that come all the same are a fault. */
  release(): ListEntry[]
  /** The rest, at the end of the list. */
  end(): ListEntry[]
}

interface OpenFile {
  readonly line: number
  readonly places: readonly Place[]
  options: MutableListOptions | undefined
}

/** A parser for one list; see `readUrlList` for the format. */
export function createUrlListParser(options: UrlListParserOptions): UrlListParser {
  return new LineParser(options)
}

class LineParser implements UrlListParser {
  readonly #name: string
  readonly #notice: (message: string) => void
  readonly #seenNames = new Set<string>()
  #mirrorNotices = 0
  #out: ListEntry[] = []
  /** The entry whose option lines may still come; `'faulty'` when the entry above was a fault. */
  #open: OpenFile | 'faulty' | undefined
  #line = 0
  #rest: Buffer | undefined
  /** True while the rest of a line that is too long is being passed over. */
  #skipping = false
  /** The file above was let go. */
  #released = false

  constructor(options: UrlListParserOptions) {
    this.#name = options.name
    this.#notice = options.notice
  }

  push(chunk: Buffer): ListEntry[] {
    let start = 0
    if (this.#rest !== undefined || this.#skipping) {
      const end = chunk.indexOf(newline)
      if (end === -1) {
        this.#keep(chunk)
        return this.#take()
      }
      this.#finishRest(chunk.subarray(0, end))
      start = end + 1
    }
    const length = chunk.length
    while (start < length) {
      let end = start
      let flags = 0
      for (; end < length; end++) {
        const byte = chunk[end] ?? newline
        if (byte === newline) break
        flags |= byteClass[byte] ?? 0
      }
      if (end === length) {
        this.#keep(chunk.subarray(start))
        break
      }
      this.#readLine(chunk, start, end, flags)
      start = end + 1
    }
    return this.#take()
  }

  get isHolding(): boolean {
    return typeof this.#open === 'object' && this.#rest === undefined && !this.#skipping
  }

  release(): ListEntry[] {
    this.#close()
    this.#open = undefined
    this.#released = true
    return this.#take()
  }

  end(): ListEntry[] {
    if (this.#rest !== undefined) this.#finishRest(Buffer.alloc(0))
    this.#close()
    return this.#take()
  }

  #take(): ListEntry[] {
    const out = this.#out
    this.#out = []
    return out
  }

  #keep(part: Buffer): void {
    if (this.#skipping) return
    const rest = this.#rest === undefined ? Buffer.from(part) : Buffer.concat([this.#rest, part])
    this.#rest = rest
    if (rest.length <= maxLineBytes) return
    this.#rest = undefined
    this.#skipping = true
    this.#line++
    this.#tooLong(rest.toString('utf8', 0, maxShownChars))
  }

  #finishRest(part: Buffer): void {
    if (this.#skipping) {
      this.#skipping = false
      return
    }
    const line = this.#rest === undefined ? part : Buffer.concat([this.#rest, part])
    this.#rest = undefined
    // Flags that claim nothing: every check is made on the text.
    this.#readLine(line, 0, line.length, 7)
  }

  #readLine(bytes: Buffer, start: number, end: number, flags: number): void {
    this.#line++
    if ((flags & 5) === 0 && bytes[start] === letterH) {
      const url = bytes.toString('latin1', start, bytes[end - 1] === carriageReturn ? end - 1 : end)
      if (isPlainUrl(url) && url.length <= maxLineBytes) {
        this.#close()
        this.#open = { line: this.#line, places: [{ url }], options: undefined }
        return
      }
    }
    if (end === start) return
    if (end - start > maxLineBytes) return this.#tooLong(bytes.toString('utf8', start, start + maxShownChars))
    if ((flags & 4) !== 0 && !isUtf8(bytes.subarray(start, end))) {
      const text = bytes.toString('latin1', start, end)
      return this.#fault('ERR_INPUT_INVALID', text, 1, 'the line is not UTF-8')
    }
    this.#readText(bytes.toString('utf8', start, end))
  }

  #readText(raw: string): void {
    const text = raw.replace(/(?:^|\s)#.*$/s, '')
    const trimmed = text.trim()
    if (trimmed === '') return
    const indented = /^\s/.test(text)
    if (indented && !/^https?:/i.test(trimmed)) this.#readOption(raw, raw.length - raw.trimStart().length + 1)
    else this.#readPlaces(text)
  }

  #readPlaces(text: string): void {
    const places: Place[] = []
    let complaint: { code: ErrorCode; column: number; message: string } | undefined
    let bad = 0
    let column = 1
    for (const part of text.split('\t')) {
      const url = part.trim()
      const fault = url === '' ? undefined : urlFault(url)
      if (url !== '' && fault === undefined) places.push({ url })
      if (fault !== undefined) {
        bad++
        complaint ??= {
          code: fault === 'scheme' ? 'ERR_URL_SCHEME' : 'ERR_URL_INVALID',
          column: column + part.length - part.trimStart().length,
          message: `${shown(url)} ${fault === 'scheme' ? 'has a scheme that cannot be downloaded' : 'is not a URL'}`,
        }
      }
      column += part.length + 1
    }
    if (complaint !== undefined && places.length === 0) {
      return this.#fault(complaint.code, text, complaint.column, complaint.message)
    }
    if (complaint !== undefined) this.#noticeMirror(bad, complaint.column, complaint.message)
    this.#close()
    this.#open = { line: this.#line, places, options: undefined }
    this.#released = false
  }

  #readOption(raw: string, column: number): void {
    const open = this.#open
    if (open === 'faulty') return
    const match = /^\s+([A-Za-z0-9][A-Za-z0-9-]*)\s*=\s*(.*?)\s*$/s.exec(raw)
    if (match === null) {
      return this.#faultOpen(raw, column, 'an indented line must be an option, as name=value')
    }
    const name = (match[1] ?? '').toLowerCase()
    if (open === undefined) {
      const why = this.#released ? 'came when its URL was under way already' : 'has no URL above it'
      return this.#fault('ERR_INPUT_INVALID', raw, column, `the option ${name} ${why}`)
    }
    open.options ??= {}
    const result = applyListOption(name, match[2] ?? '', open.options)
    if (result === 'unknown') return this.#noticeUnknown(name)
    if (result !== 'taken') this.#faultOpen(raw, column, result.fault)
  }

  /** An option that cannot be followed spoils its entry: the file would be fetched otherwise than was asked. */
  #faultOpen(raw: string, column: number, message: string): void {
    const url = typeof this.#open === 'object' ? this.#open.places[0]?.url : undefined
    this.#open = undefined
    const left = url === undefined ? '' : `; ${shown(url)} is left out`
    this.#fault('ERR_INPUT_INVALID', raw, column, `${message}${left}`)
  }

  #tooLong(text: string): void {
    this.#fault('ERR_INPUT_INVALID', text, 1, `the line is longer than ${maxLineBytes / 1024} KiB`)
  }

  #fault(code: ErrorCode, text: string, column: number, message: string): void {
    this.#close()
    const line = this.#line
    const error = new TrawlError(code, `${this.#name}:${line}:${column}: ${message}`, {
      context: { file: this.#name, line, column },
    })
    this.#out.push({ line, text: text.trimEnd().slice(0, maxShownChars), error })
    this.#open = 'faulty'
  }

  #close(): void {
    const open = this.#open
    this.#open = undefined
    if (open === undefined || open === 'faulty') return
    const { line, places, options } = open
    this.#out.push(
      options !== undefined && Object.keys(options).length > 0 ? { line, places, options } : { line, places },
    )
  }

  #noticeUnknown(name: string): void {
    // Bounded, should a file of something else be read as a list.
    if (this.#seenNames.has(name) || this.#seenNames.size >= 100) return
    this.#seenNames.add(name)
    this.#notice(`${this.#name}:${this.#line}: the option ${name} is not known here and has no effect`)
  }

  #noticeMirror(count: number, column: number, message: string): void {
    this.#mirrorNotices++
    if (this.#mirrorNotices > maxMirrorNotices) return
    const more = this.#mirrorNotices === maxMirrorNotices ? '; further ones are not named' : ''
    const what = count === 1 ? 'a mirror is' : `${count} mirrors are`
    this.#notice(`${this.#name}:${this.#line}:${column}: ${what} left out: ${message}${more}`)
  }
}

function shown(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}...` : text)
}

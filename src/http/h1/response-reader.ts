import { ConnectionFault } from './connection-fault.ts'
import { readResponseHead, type ResponseHead } from './response-head.ts'

/** Told of one response, in order: `head`, any number of `data`, then `done` or `fault`. */
export interface ResponseListener {
  head(head: ResponseHead): void
  /** Bytes of the body, from `start` up to `end` in the buffer; valid during the call. */
  data(buffer: Buffer, start: number, end: number): void
  /** The response is whole. `keepAlive` is true when another request may follow on the connection. */
  done(keepAlive: boolean): void
  fault(fault: ConnectionFault): void
}

type Phase = 'idle' | 'head' | 'length' | 'close' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailers'

/** More of the first bytes than this is decoded only where the head does not end in them. */
const firstHeadBytes = 512
/** Lines with the size of a chunk, extensions included. */
const maxSizeLineBytes = 4096
const maxInterimHeads = 100

/**
 * Reads responses from the bytes of a connection (RFC 9112), however they are cut. Knows nothing of sockets. One
 * response at a time: bytes beyond it are not read, and end the use of the connection.
 */
export class ResponseReader {
  readonly #listener: ResponseListener
  readonly #maxHeadBytes: number
  #phase: Phase = 'idle'
  #method = 'GET'
  /** Text of a head, a size line or trailers that is not whole yet. */
  #text = ''
  #left = 0
  #keepAlive = false
  #interimHeads = 0
  /** Heads of one server are of about one length. */
  #usualHeadBytes = firstHeadBytes

  constructor(listener: ResponseListener, maxHeadBytes: number) {
    this.#listener = listener
    this.#maxHeadBytes = maxHeadBytes
  }

  /** A request was sent: its response is next. */
  begin(method: string): void {
    this.#phase = 'head'
    this.#method = method
    this.#interimHeads = 0
  }

  /** No more is wanted of the response. */
  stop(): void {
    this.#phase = 'idle'
    this.#text = ''
  }

  /** False when bytes would be those of no response. */
  get isExpecting(): boolean {
    return this.#phase !== 'idle'
  }

  read(buffer: Buffer, start: number, end: number): void {
    let at = start
    try {
      while (at < end && this.#phase !== 'idle') at = this.#step(buffer, at, end)
    } catch (error) {
      this.stop()
      // Nothing that a server sends may end the process, as an error thrown from here would.
      this.#listener.fault(
        error instanceof ConnectionFault
          ? error
          : new ConnectionFault('protocol', `an answer that cannot be read (${String(error)})`),
      )
    }
  }

  /** The other side closed. */
  finish(): void {
    const phase = this.#phase
    if (phase === 'idle') return
    this.stop()
    if (phase === 'close') this.#listener.done(false)
    else this.#listener.fault(new ConnectionFault('closed', 'other side closed'))
  }

  #step(buffer: Buffer, at: number, end: number): number {
    switch (this.#phase) {
      case 'head':
        return this.#readHead(buffer, at, end)
      case 'length':
      case 'chunk':
        return this.#readCounted(buffer, at, end)
      case 'close':
        this.#listener.data(buffer, at, end)
        return end
      case 'chunk-size':
        return this.#readSize(buffer, at, end)
      case 'chunk-end':
        return this.#readChunkEnd(buffer, at, end)
      case 'trailers':
        return this.#readTrailers(buffer, at, end)
      default:
        return end
    }
  }

  #readHead(buffer: Buffer, at: number, end: number): number {
    const before = this.#text.length
    const usualEnd = Math.min(end, at + this.#usualHeadBytes)
    let text = this.#text + buffer.toString('latin1', at, usualEnd)
    let found = endOfHead(text, before)
    if (!found && usualEnd < end) {
      text += buffer.toString('latin1', usualEnd, end)
      found = endOfHead(text, before)
    }
    const length = found ? found.from : text.length
    if (length > this.#maxHeadBytes) throw new ConnectionFault('headers-too-long', 'the headers are too long')
    if (!'HTTP/'.startsWith(text.slice(0, 5))) {
      throw new ConnectionFault('protocol', 'the answer does not begin as HTTP/1 does')
    }
    if (!found) {
      this.#text = text
      return end
    }
    this.#text = ''
    this.#usualHeadBytes = found.to + 32
    const next = at + found.to - before
    this.#begin(readResponseHead(text.slice(0, found.from), this.#method), next === end)
    return this.#phase === 'idle' ? end : next
  }

  #begin(head: ResponseHead, isAll: boolean): void {
    if (head.status === 101) throw new ConnectionFault('protocol', 'an upgrade that was not asked for')
    if (head.status < 200) {
      if (++this.#interimHeads > maxInterimHeads)
        throw new ConnectionFault('protocol', 'no end of interim answers')
      return
    }
    this.#keepAlive = head.keepAlive
    this.#left = head.lengthBytes
    const { framing } = head
    this.#phase = framing === 'chunked' ? 'chunk-size' : framing === 'none' ? 'length' : framing
    this.#listener.head(head)
    // Whoever hears of the head may have had enough.
    if (this.#phase === 'length' && (framing === 'none' || this.#left === 0)) this.#complete(isAll)
  }

  #readCounted(buffer: Buffer, at: number, end: number): number {
    const next = Math.min(end, at + this.#left)
    this.#left -= next - at
    this.#listener.data(buffer, at, next)
    if (this.#left > 0 || this.#phase === 'idle') return this.#phase === 'idle' ? end : next
    if (this.#phase === 'chunk') {
      this.#phase = 'chunk-end'
      this.#left = 2
      return next
    }
    this.#complete(next === end)
    return end
  }

  #readSize(buffer: Buffer, at: number, end: number): number {
    const line = this.#line(buffer, at, end, maxSizeLineBytes)
    if (!line) return end
    const size = /^([\da-f]{1,12})[ \t]*(?:;|\r?$)/i.exec(line.text)?.[1]
    if (size === undefined) throw new ConnectionFault('protocol', 'a chunk without a size')
    this.#left = Number.parseInt(size, 16)
    this.#phase = this.#left > 0 ? 'chunk' : 'trailers'
    return line.next
  }

  #readChunkEnd(buffer: Buffer, at: number, end: number): number {
    let next = at
    while (next < end && this.#left > 0) {
      const expected = this.#left === 2 ? 0x0d : 0x0a
      // A bare line feed ends a chunk too.
      if (buffer[next] === 0x0a) this.#left = 0
      else if (buffer[next] === expected) this.#left--
      else throw new ConnectionFault('protocol', 'a chunk longer than its size')
      next++
    }
    if (this.#left === 0) this.#phase = 'chunk-size'
    return next
  }

  #readTrailers(buffer: Buffer, at: number, end: number): number {
    const line = this.#line(buffer, at, end, this.#maxHeadBytes)
    if (!line) return end
    if (line.text !== '' && line.text !== '\r') return line.next
    this.#complete(line.next === end)
    return end
  }

  /** The next line without its line feed; undefined when it is not whole yet. */
  #line(
    buffer: Buffer,
    at: number,
    end: number,
    maxBytes: number,
  ): { readonly text: string; readonly next: number } | undefined {
    let feed = at
    while (feed < end && buffer[feed] !== 0x0a) feed++
    const text = this.#text + buffer.toString('latin1', at, feed)
    if (text.length > maxBytes) throw new ConnectionFault('protocol', 'a line that is too long')
    if (feed === end) {
      this.#text = text
      return undefined
    }
    this.#text = ''
    return { text, next: feed + 1 }
  }

  #complete(isAll: boolean): void {
    this.#phase = 'idle'
    this.#listener.done(this.#keepAlive && isAll)
  }
}

/** Where the head ends and what follows begins; `searched` characters are known to have no end in them. */
function endOfHead(
  text: string,
  searched: number,
): { readonly from: number; readonly to: number } | undefined {
  const from = text.indexOf('\r\n\r\n', Math.max(0, searched - 3))
  if (from >= 0) return { from, to: from + 4 }
  const bare = /\n\r?\n/.exec(searched === 0 ? text : text.slice(Math.max(0, searched - 2)))
  if (!bare) return undefined
  const start = bare.index + (searched === 0 ? 0 : Math.max(0, searched - 2))
  return { from: start, to: start + bare[0].length }
}

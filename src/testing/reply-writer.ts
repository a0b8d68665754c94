import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Cut, Reply } from './behaviour.ts'
import type { Rate } from './rate.ts'

const pieceBytes = 64 * 1024

/** Where a reply goes and what slows it down. */
export interface ReplyWriterOptions {
  readonly socket: Socket
  readonly method: string
  readonly rates: readonly Rate[]
  readonly onBytes: (count: number) => void
  /** Resets the connection below, which TLS cannot do by itself. */
  readonly reset: () => void
}

/**
 * Sends a reply with its faults. Resolves when the last byte is handed to the socket, or when the connection is
 * gone; true when the connection may carry another request.
 */
export async function writeReply(reply: Reply, options: ReplyWriterOptions): Promise<boolean> {
  const { socket } = options
  if (reply.latencyMs !== undefined) await waitFor(reply.latencyMs, socket)
  if (socket.destroyed) return false
  if (reply.hangUp !== undefined) return hangUp(options, reply.hangUp)
  if (reply.raw !== undefined) {
    socket.end(reply.raw)
    return false
  }
  const framing = reply.framing ?? 'length'
  const hasBody = options.method !== 'HEAD' && reply.status !== 204 && reply.status !== 304
  socket.write(headText(reply, hasBody), 'latin1')
  if (hasBody) {
    const whole = await writeBody(reply, options)
    if (!whole) return false
    if (reply.surplus !== undefined) socket.write(reply.surplus)
  }
  if (framing === 'close' || headerOf(reply, 'connection')?.toLowerCase() === 'close') {
    socket.end()
    return false
  }
  return !socket.destroyed
}

function headText(reply: Reply, hasBody: boolean): string {
  const framing = reply.framing ?? 'length'
  const lines = [`HTTP/1.1 ${reply.status} ${STATUS_CODES[reply.status] ?? 'Odd'}`]
  for (const [name, value] of Object.entries(reply.headers)) {
    for (const one of typeof value === 'string' ? [value] : value) lines.push(`${name}: ${one}`)
  }
  const needsLength = hasBody || (reply.body !== undefined && reply.status !== 204)
  if (needsLength && (framing === 'length' || framing === 'both')) {
    if (headerOf(reply, 'content-length') === undefined)
      lines.push(`Content-Length: ${reply.body?.sizeBytes ?? 0}`)
  }
  if (framing === 'chunked' || framing === 'both') lines.push('Transfer-Encoding: chunked')
  if (framing === 'close' && headerOf(reply, 'connection') === undefined) lines.push('Connection: close')
  return `${lines.join('\r\n')}\r\n\r\n`
}

function headerOf(reply: Reply, name: string): string | undefined {
  for (const [present, value] of Object.entries(reply.headers)) {
    if (present.toLowerCase() === name) return typeof value === 'string' ? value : value[0]
  }
  return undefined
}

async function writeBody(reply: Reply, options: ReplyWriterOptions): Promise<boolean> {
  const { socket, rates } = options
  const framing = reply.framing ?? 'length'
  const chunked = framing === 'chunked' || framing === 'both'
  const total = reply.body?.sizeBytes ?? 0
  const end = Math.min(total, reply.cut?.afterBytes ?? total)
  const step = Math.min(pieceBytes, ...rates.map((rate) => rate.pieceBytes))
  for (let at = 0; at < end;) {
    const piece = reply.body?.read(at, Math.min(at + step, end)) ?? Buffer.alloc(0)
    for (const rate of rates) await rate.take(piece.length)
    if (socket.destroyed) return false
    if (chunked) socket.write(`${piece.length.toString(16)}\r\n`)
    const flowing = socket.write(piece)
    if (chunked) socket.write('\r\n')
    options.onBytes(piece.length)
    at += piece.length
    if (!flowing) await drained(socket)
  }
  if (reply.cut !== undefined) return cutOff(options, reply.cut.how)
  if (chunked) socket.write('0\r\n\r\n')
  return !socket.destroyed
}

async function cutOff(options: ReplyWriterOptions, how: Cut): Promise<false> {
  const { socket } = options
  if (how === 'bad-chunk') socket.end('not-a-size\r\nwhatever\r\n')
  else if (how === 'stall') await new Promise((resolve) => socket.once('close', resolve))
  else {
    // What was written before must be on its way, or a reset would swallow it.
    if (socket.writableLength > 0) await drained(socket)
    await waitFor(5, socket)
    hangUp(options, how)
  }
  return false
}

function hangUp(options: ReplyWriterOptions, how: 'fin' | 'rst'): false {
  if (how === 'fin') options.socket.end()
  else options.reset()
  return false
}

function drained(socket: Socket): Promise<void> {
  if (socket.destroyed || !socket.writableNeedDrain) return Promise.resolve()
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off('drain', done).off('close', done)
      resolve()
    }
    socket.on('drain', done).on('close', done)
  })
}

function waitFor(ms: number, socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      socket.off('close', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    socket.on('close', done)
  })
}

import { gzipSync } from 'node:zlib'
import { changeHeaders, mapReply, type Cut, type Fault, type Framing } from './behaviour.ts'
import { bodyFrom } from './body.ts'

/** Announces the whole body and stops after so many bytes of it, in this way. */
function cutAfter(afterBytes: number, how: Cut): Fault {
  return mapReply((reply) => ({ ...reply, cut: { afterBytes, how } }))
}

/** Stops so many bytes before the end of the body. */
function shortBy(missingBytes: number, how: Cut = 'fin'): Fault {
  return mapReply((reply) => {
    const afterBytes = Math.max(0, (reply.body?.sizeBytes ?? 0) - missingBytes)
    return { ...reply, cut: { afterBytes, how } }
  })
}

/** Sends more bytes after the announced end. */
function longBy(surplusBytes: number): Fault {
  return mapReply((reply) => ({ ...reply, surplus: Buffer.alloc(surplusBytes, 'x') }))
}

/** Goes silent after so many bytes; the connection stays open. */
function stallAfter(afterBytes: number): Fault {
  return cutAfter(afterBytes, 'stall')
}

/** At most so many bytes a second over this response. */
function rate(bytesPerSecond: number): Fault {
  return mapReply((reply) => ({ ...reply, rateBps: bytesPerSecond }))
}

/** Waits before the headers. */
function latency(ms: number): Fault {
  return mapReply((reply) => ({ ...reply, latencyMs: (reply.latencyMs ?? 0) + ms }))
}

/** Ends the body by chunks, by closing the connection, by length, or by length and chunks at once. */
function framing(how: Framing): Fault {
  return mapReply((reply) => ({ ...reply, framing: how }))
}

/** Chunked, with a line that is no chunk size after so many bytes. */
function badChunk(afterBytes: number): Fault {
  return mapReply((reply) => ({ ...reply, framing: 'chunked', cut: { afterBytes, how: 'bad-chunk' } }))
}

/** Announces a length that is off by so much; the connection is closed after the real bytes. */
function wrongLength(offBytes: number): Fault {
  return mapReply((reply) => {
    const length = (reply.body?.sizeBytes ?? 0) + offBytes
    return changeHeaders(reply, { 'Content-Length': String(length), Connection: 'close' })
  })
}

/** Compresses the body though identity was asked for. */
function gzip(): Fault {
  return mapReply((reply) => {
    if (reply.body === undefined) return reply
    return changeHeaders(
      { ...reply, body: bodyFrom(gzipSync(reply.body.bytes())) },
      { 'Content-Encoding': 'gzip' },
    )
  })
}

/** Flips one bit of the body, which no length or status shows. */
function flipBit(atByte: number): Fault {
  return mapReply((reply) => {
    if (reply.body === undefined) return reply
    const bytes = Buffer.from(reply.body.bytes())
    const at = Math.min(atByte, bytes.length - 1)
    bytes[at] = (bytes[at] ?? 0) ^ 1
    return { ...reply, body: bodyFrom(bytes) }
  })
}

/** Sets headers, or removes them where the value is undefined. */
function headers(changes: Readonly<Record<string, string | undefined>>): Fault {
  return mapReply((reply) => changeHeaders(reply, changes))
}

/** Closes the connection after the response. */
function closeAfter(): Fault {
  return headers({ Connection: 'close' })
}

/** Faults of bodies and their framing. */
export const bodyFaults = {
  cutAfter,
  shortBy,
  longBy,
  stallAfter,
  rate,
  latency,
  framing,
  badChunk,
  wrongLength,
  gzip,
  flipBit,
  headers,
  closeAfter,
} as const

import { TrawlError } from '../../core/index.ts'

/** Everything in a tar lies on borders of this many bytes (POSIX.1-1988, ustar interchange format). */
export const tarBlockBytes = 512

const maxOctalSize = 0o77777777777
const maxNameBytes = 100
const maxPrefixBytes = 155

/** What a header block says of a member. */
export interface TarHeader {
  readonly name: string
  readonly sizeBytes: number
  /** `0` file, `5` folder, `x` and `g` pax records, `L` and `K` long names of GNU tar. */
  readonly type: string
}

/** Bytes that fill a member of this size up to the next block. */
export function tarPaddingBytes(sizeBytes: number): number {
  return (tarBlockBytes - (sizeBytes % tarBlockBytes)) % tarBlockBytes
}

/**
 * The header blocks of one member: one ustar block, with a pax block pair before it only where the name
 * (over 100 bytes and not to be split at a slash) or the size (8 GiB and more) does not fit. Time 0, mode 0444,
 * owner 0, so that equal members give equal bytes. Throws ERR_PATH_UNSAFE for a name that is empty, absolute,
 * holds a NUL or climbs out.
 */
export function encodeTarHeader(name: string, sizeBytes: number): Buffer {
  checkName(name)
  const split = splitName(name)
  const records: [string, string][] = []
  if (!split) records.push(['path', name])
  if (sizeBytes > maxOctalSize) records.push(['size', String(sizeBytes)])
  const place = split ?? { prefix: '', name: Buffer.from(name).toString('latin1').slice(0, maxNameBytes) }
  const header = block(place, Math.min(sizeBytes, maxOctalSize), '0')
  if (records.length === 0) return header
  const body = Buffer.concat(records.map(([key, value]) => paxRecord(key, value)))
  const pax = block({ prefix: '', name: 'PaxHeaders/member' }, body.length, 'x')
  return Buffer.concat([pax, body, Buffer.alloc(tarPaddingBytes(body.length)), header])
}

/** Reads a header block; undefined for a block of zeros. Throws ERR_PACK_DAMAGED where the checksum is wrong. */
export function decodeTarHeader(bytes: Buffer, offset: number): TarHeader | undefined {
  if (bytes.every((byte) => byte === 0)) return undefined
  const stored = readNumber(bytes, 148, 8)
  if (stored !== checksum(bytes)) {
    throw new TrawlError('ERR_PACK_DAMAGED', `tar header at byte ${offset}: wrong checksum`, {
      context: { offset },
    })
  }
  const name = readText(bytes, 0, maxNameBytes)
  const prefix = bytes.toString('latin1', 257, 262) === 'ustar' ? readText(bytes, 345, maxPrefixBytes) : ''
  const flag = bytes[156] ?? 0
  return {
    name: prefix === '' || bytes[262] === 0x20 ? name : `${prefix}/${name}`,
    sizeBytes: readNumber(bytes, 124, 12),
    type: flag === 0 ? '0' : String.fromCharCode(flag),
  }
}

/** Key and value pairs of a pax record block (POSIX.1-2001, pax Extended Header). */
export function decodePaxRecords(bytes: Buffer): Map<string, string> {
  const records = new Map<string, string>()
  let at = 0
  while (at < bytes.length) {
    const space = bytes.indexOf(0x20, at)
    const length = space < 0 ? 0 : Number(bytes.toString('latin1', at, space))
    if (!Number.isInteger(length) || length <= space - at || at + length > bytes.length) break
    const record = bytes.toString('utf8', space + 1, at + length - 1)
    const equals = record.indexOf('=')
    if (equals > 0) records.set(record.slice(0, equals), record.slice(equals + 1))
    at += length
  }
  return records
}

interface Place {
  readonly prefix: string
  /** As latin1, one character a byte. */
  readonly name: string
}

function checkName(name: string): void {
  const climbs = name.startsWith('/') || name.split('/').includes('..')
  if (name !== '' && !name.endsWith('/') && !climbs && !name.includes('\0')) return
  throw new TrawlError('ERR_PATH_UNSAFE', `tar member ${JSON.stringify(name)}: not a safe name`, {
    context: { path: name },
  })
}

function splitName(name: string): Place | undefined {
  const bytes = Buffer.from(name).toString('latin1')
  if (bytes.length <= maxNameBytes) return { prefix: '', name: bytes }
  const slash = bytes.indexOf('/', bytes.length - maxNameBytes - 1)
  if (slash <= 0 || slash > maxPrefixBytes || slash === bytes.length - 1) return undefined
  return { prefix: bytes.slice(0, slash), name: bytes.slice(slash + 1) }
}

function block(place: Place, sizeBytes: number, type: string): Buffer {
  const out = Buffer.alloc(tarBlockBytes)
  out.write(place.name, 0, 'latin1')
  out.write(octal(0o444, 8) + octal(0, 8) + octal(0, 8), 100, 'latin1')
  out.write(octal(sizeBytes, 12) + octal(0, 12), 124, 'latin1')
  out.write(type, 156, 'latin1')
  out.write('ustar\x0000', 257, 'latin1')
  out.write(octal(0, 8) + octal(0, 8), 329, 'latin1')
  out.write(place.prefix, 345, 'latin1')
  out.write(`${checksum(out).toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return out
}

function paxRecord(key: string, value: string): Buffer {
  const rest = Buffer.byteLength(key) + Buffer.byteLength(value) + 3
  let length = rest + String(rest).length
  if (length !== rest + String(length).length) length = rest + String(length).length
  return Buffer.from(`${length} ${key}=${value}\n`)
}

/** Octal digits and a NUL, as wide as the field. */
function octal(value: number, width: number): string {
  return `${value.toString(8).padStart(width - 1, '0')}\0`
}

/** The sum of all bytes, the checksum field itself counted as spaces. */
function checksum(bytes: Buffer): number {
  let sum = 8 * 0x20
  for (let i = 0; i < tarBlockBytes; i++) if (i < 148 || i >= 156) sum += bytes[i] ?? 0
  return sum
}

function readText(bytes: Buffer, at: number, length: number): string {
  const end = bytes.subarray(at, at + length).indexOf(0)
  return bytes.toString('utf8', at, end < 0 ? at + length : at + end)
}

/** Octal text, or the base-256 form GNU tar uses for large values. */
function readNumber(bytes: Buffer, at: number, length: number): number {
  if (((bytes[at] ?? 0) & 0x80) !== 0) {
    let value = (bytes[at] ?? 0) & 0x7f
    for (let i = 1; i < length; i++) value = value * 256 + (bytes[at + i] ?? 0)
    return value
  }
  const text = bytes
    .toString('latin1', at, at + length)
    .replaceAll('\0', ' ')
    .trim()
  return text === '' ? 0 : Number.parseInt(text, 8)
}

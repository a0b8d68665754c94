/** One entry of a ZIP as its records tell it. */
export interface ZipEntry {
  readonly name: string
  /** Of the content, not encrypted. */
  readonly crc: number
  readonly sizeBytes: number
  /** Of what stands in the archive: more than `sizeBytes` where it is encrypted. */
  readonly storedBytes: number
  /** Where the local header begins. */
  readonly offset: number
  readonly encrypted: boolean
}

/** From here on fields of 32 bits are too small (APPNOTE 4.4.1.4). */
const limit32 = 0xffffffff
const limit16 = 0xffff
/** 1980-01-01 00:00, the earliest time of a ZIP, for all entries: same pages, same bytes. */
const dosDate = 0x21
/** Made by: Unix, specification 4.5, so that permissions count. */
const madeBy = 0x032d
const mode = 0o100644

/** Needed to read: 4.5 for sizes of 64 bits, 5.1 for AES, else 1.0. */
function versionNeeded(entry: ZipEntry, wide: boolean): number {
  if (entry.encrypted) return 51
  return wide ? 45 : 10
}

/** Names are UTF-8 (bit 11); bit 0 says encrypted. */
function flags(entry: ZipEntry): number {
  return 0x0800 | (entry.encrypted ? 1 : 0)
}

/** The extra field of AES encryption (WinZip AE-2, AES-256, content stored). AE-2 keeps no CRC. */
function aesExtra(entry: ZipEntry): Buffer {
  if (!entry.encrypted) return Buffer.alloc(0)
  return Buffer.from([0x01, 0x99, 7, 0, 2, 0, 0x41, 0x45, 3, 0, 0])
}

function shared(out: Buffer, at: number, entry: ZipEntry, wide: boolean): void {
  out.writeUInt16LE(versionNeeded(entry, wide), at)
  out.writeUInt16LE(flags(entry), at + 2)
  out.writeUInt16LE(entry.encrypted ? 99 : 0, at + 4)
  out.writeUInt16LE(0, at + 6)
  out.writeUInt16LE(dosDate, at + 8)
  out.writeUInt32LE(entry.encrypted ? 0 : entry.crc, at + 10)
}

/** Where the checksum stands in a local header. */
export const localCrcOffset = 14

/** The header before the content of an entry (APPNOTE 4.3.7). Its length depends on name and size only. */
export function localHeader(entry: ZipEntry): Buffer {
  const name = Buffer.from(entry.name)
  const wide = entry.storedBytes >= limit32
  const extra = Buffer.concat([
    wide ? wideExtra([entry.sizeBytes, entry.storedBytes]) : Buffer.alloc(0),
    aesExtra(entry),
  ])
  const out = Buffer.alloc(30)
  out.writeUInt32LE(0x04034b50, 0)
  shared(out, 4, entry, wide)
  out.writeUInt32LE(wide ? limit32 : entry.storedBytes, 18)
  out.writeUInt32LE(wide ? limit32 : entry.sizeBytes, 22)
  out.writeUInt16LE(name.length, 26)
  out.writeUInt16LE(extra.length, 28)
  return Buffer.concat([out, name, extra])
}

/** The record of an entry in the central directory (4.3.12). */
export function centralRecord(entry: ZipEntry): Buffer {
  const name = Buffer.from(entry.name)
  const wide = entry.storedBytes >= limit32
  const far = entry.offset >= limit32
  const values = [...(wide ? [entry.sizeBytes, entry.storedBytes] : []), ...(far ? [entry.offset] : [])]
  const extra = Buffer.concat([values.length > 0 ? wideExtra(values) : Buffer.alloc(0), aesExtra(entry)])
  const out = Buffer.alloc(46)
  out.writeUInt32LE(0x02014b50, 0)
  out.writeUInt16LE(madeBy, 4)
  shared(out, 6, entry, wide || far)
  out.writeUInt32LE(wide ? limit32 : entry.storedBytes, 20)
  out.writeUInt32LE(wide ? limit32 : entry.sizeBytes, 24)
  out.writeUInt16LE(name.length, 28)
  out.writeUInt16LE(extra.length, 30)
  out.writeUInt32LE(mode * 0x10000, 38)
  out.writeUInt32LE(far ? limit32 : entry.offset, 42)
  return Buffer.concat([out, name, extra])
}

/** What closes an archive, with the 64 bit records only where they are needed (4.3.14 to 4.3.16). */
export function endRecords(count: number, directoryOffset: number, directoryBytes: number): Buffer {
  const wide = count >= limit16 || directoryOffset >= limit32 || directoryBytes >= limit32
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(Math.min(count, limit16), 8)
  end.writeUInt16LE(Math.min(count, limit16), 10)
  end.writeUInt32LE(Math.min(directoryBytes, limit32), 12)
  end.writeUInt32LE(Math.min(directoryOffset, limit32), 16)
  if (!wide) return end
  const end64 = Buffer.alloc(56)
  end64.writeUInt32LE(0x06064b50, 0)
  end64.writeBigUInt64LE(44n, 4)
  end64.writeUInt16LE(madeBy, 12)
  end64.writeUInt16LE(45, 14)
  for (const [i, value] of [count, count, directoryBytes, directoryOffset].entries()) {
    end64.writeBigUInt64LE(BigInt(value), 24 + i * 8)
  }
  const locator = Buffer.alloc(20)
  locator.writeUInt32LE(0x07064b50, 0)
  locator.writeBigUInt64LE(BigInt(directoryOffset + directoryBytes), 8)
  locator.writeUInt32LE(1, 16)
  return Buffer.concat([end64, locator, end])
}

/** The extra field with sizes of 64 bits (4.5.3). */
function wideExtra(values: readonly number[]): Buffer {
  const out = Buffer.alloc(4 + values.length * 8)
  out.writeUInt16LE(1, 0)
  out.writeUInt16LE(values.length * 8, 2)
  for (const [i, value] of values.entries()) out.writeBigUInt64LE(BigInt(value), 4 + i * 8)
  return out
}

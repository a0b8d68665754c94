import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateRawSync } from 'node:zlib'
import {
  BlobReader,
  BlobWriter,
  Uint8ArrayReader,
  Uint8ArrayWriter,
  ZipReader,
  ZipWriter,
} from '@zip.js/zip.js'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isTrawlError } from '../../../src/core/index.ts'
import { createPackWriter, openPack, type PackOptions, type PackPage } from '../../../src/pack/index.ts'
import { PartFile } from '../../../src/pack/part-file/index.ts'
import { openZip, verifyZip, ZipFile } from '../../../src/pack/zip/index.ts'
import { centralRecord, endRecords, localHeader } from '../../../src/pack/zip/zip-records.ts'
import { describeWith } from '../../programs.ts'
import { readPages } from '../pdf/pdf-file.ts'
import { jpegPages } from '../sample-pages.ts'

const dir = mkdtempSync(join(tmpdir(), 'trawl-zip-'))
afterAll(() => rmSync(dir, { recursive: true }))
const path = join(dir, 'book.zip')
let pages: PackPage[] = []
beforeAll(async () => {
  pages = await jpegPages(dir, 4)
})

async function writeZip(format: 'zip' | 'cbz' = 'zip', options: Partial<PackOptions> = {}): Promise<void> {
  const writer = createPackWriter(format, { path, replace: true, durability: 'none', ...options })
  for (const page of pages) await writer.add(page)
  await writer.finish({ title: 'A book' })
}

/** A ZIP of entries that no packer would write. */
async function theirZip(
  entries: readonly { readonly name: string; readonly bytes: Buffer; readonly packed?: boolean }[],
): Promise<void> {
  const writer = new ZipWriter(new Uint8ArrayWriter())
  for (const { name, bytes, packed } of entries) {
    await writer.add(name, new Uint8ArrayReader(new Uint8Array(bytes)), { level: packed === true ? 6 : 0 })
  }
  writeFileSync(path, await writer.close())
}

/** A ZIP with a single stored entry whose records say what they are told. */
function oddZip(
  name: string,
  bytes: Buffer,
  changes: { readonly crc?: number; readonly sizeBytes?: number } = {},
): void {
  const entry = {
    name,
    crc: 0,
    sizeBytes: bytes.length,
    storedBytes: bytes.length,
    offset: 0,
    encrypted: false,
    ...changes,
  }
  const head = localHeader(entry)
  const record = centralRecord(entry)
  writeFileSync(
    path,
    Buffer.concat([head, bytes, record, endRecords(1, head.length + bytes.length, record.length)]),
  )
}

const image = () => readFileSync(pages[0]?.path ?? '')

describe('archives of other programs', () => {
  it('give their pages in natural order, whatever else is inside', async () => {
    await theirZip([
      { name: 'b/page10.jpg', bytes: image(), packed: true },
      { name: 'b/page9.JPG', bytes: image() },
      { name: 'a/1.png', bytes: image() },
      { name: 'readme.txt', bytes: Buffer.from('x') },
      { name: '__MACOSX/a/._1.png', bytes: Buffer.from('x') },
      { name: 'a/.hidden.jpg', bytes: Buffer.from('x') },
    ])
    const found = await readPages(path)
    expect(found.map((page) => [page.name, page.chapters?.[0]?.title])).toEqual([
      ['a/1.png', 'a'],
      ['b/page9.JPG', 'b'],
      ['b/page10.jpg', undefined],
    ])
    for (const page of found) expect(page.bytes.equals(image())).toBe(true)
  })

  it.each(['../up.jpg', '/etc/up.jpg', 'a/../../up.jpg', 'C:/up.jpg', '..\\up.jpg'])(
    'with the name %s are refused',
    async (name) => {
      oddZip(name, image())
      await expect(openPack(path)).rejects.toMatchObject({ code: 'ERR_PATH_UNSAFE' })
    },
  )

  it('that claim to unpack to far more than they hold are refused', async () => {
    const bomb = Buffer.alloc(400 * 1024 * 1024)
    await theirZip([{ name: 'bomb.jpg', bytes: bomb, packed: true }])
    expect(statSync(path).size).toBeLessThan(1_000_000)
    await expect(openPack(path)).rejects.toMatchObject({ code: 'ERR_PACK_DAMAGED' })
  })

  it('that unpack to more than they claim are refused', async () => {
    const raw = deflateRawSync(Buffer.alloc(100_000))
    const entry = {
      name: 'a.jpg',
      crc: 0,
      sizeBytes: 10,
      storedBytes: raw.length,
      offset: 0,
      encrypted: false,
    }
    const [head, record] = [localHeader(entry), centralRecord(entry)]
    head.writeUInt16LE(8, 8)
    record.writeUInt16LE(8, 10)
    writeFileSync(
      path,
      Buffer.concat([head, raw, record, endRecords(1, head.length + raw.length, record.length)]),
    )
    await expect(readPages(path)).rejects.toMatchObject({ code: 'ERR_PACK_DAMAGED' })
  })

  it('with a wrong checksum are refused', async () => {
    oddZip('a.jpg', image(), { crc: 1 })
    await expect(readPages(path)).rejects.toMatchObject({ code: 'ERR_PACK_DAMAGED' })
  })

  it('of any bytes never fail in another way than with an error of ours', async () => {
    await writeZip('cbz')
    const sound = readFileSync(path)
    const hits = fc.array(fc.tuple(fc.nat(sound.length - 1), fc.nat(255)), { minLength: 1, maxLength: 20 })
    await fc.assert(
      fc.asyncProperty(hits, fc.integer({ min: 4, max: sound.length }), async (changes, length) => {
        const bytes = Buffer.from(sound.subarray(0, length > sound.length / 2 ? sound.length : length))
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value
        writeFileSync(path, bytes)
        try {
          await readPages(path)
        } catch (error) {
          if (!isTrawlError(error)) throw error
        }
      }),
      { numRuns: 150 },
    )
  })
})

describe('an encrypted ZIP', () => {
  it('opens with its password and no other', async () => {
    await writeZip('zip', { password: 'sécret' })
    await expect(readPages(path)).rejects.toMatchObject({ code: 'ERR_PACK_PASSWORD' })
    await expect(readPages(path, 'secret')).rejects.toMatchObject({ code: 'ERR_PACK_PASSWORD' })
    expect((await readPages(path, 'sécret')).map((page) => page.bytes)).toEqual(
      pages.map((page) => readFileSync(page.path)),
    )
  })

  it('is read by zip.js', async () => {
    await writeZip('zip', { password: 'sécret' })
    const reader = new ZipReader(new Uint8ArrayReader(readFileSync(path)), { password: 'sécret' })
    const entries = await reader.getEntries()
    expect(entries).toHaveLength(pages.length)
    for (const [i, entry] of entries.entries()) {
      expect(entry.encrypted).toBe(true)
      if (entry.directory) throw new Error('a folder')
      const bytes = await entry.getData(new Uint8ArrayWriter())
      expect(Buffer.from(bytes).equals(readFileSync(pages[i]?.path ?? ''))).toBe(true)
    }
    await reader.close()
  })

  it('is read where zip.js wrote it, packed or not', async () => {
    for (const level of [0, 6]) {
      const writer = new ZipWriter(new BlobWriter(), { password: 'other', encryptionStrength: 3, level })
      await writer.add('1.jpg', new BlobReader(new Blob([new Uint8Array(image())])))
      writeFileSync(path, Buffer.from(await (await writer.close()).arrayBuffer()))
      expect((await readPages(path, 'other'))[0]?.bytes.equals(image())).toBe(true)
    }
  })

  it('with older encryption is refused', async () => {
    const writer = new ZipWriter(new BlobWriter(), { password: 'other', zipCrypto: true })
    await writer.add('1.jpg', new BlobReader(new Blob([new Uint8Array(image())])))
    writeFileSync(path, Buffer.from(await (await writer.close()).arrayBuffer()))
    await expect(openPack(path, { password: 'other' })).rejects.toMatchObject({
      code: 'ERR_PACK_UNSUPPORTED',
    })
  })

  it('encrypts content of any length, over any borders of pieces', async () => {
    for (const size of [0, 1, 15, 16, 17, 65_535, 65_536, 65_537, 2_097_152, 2_500_000]) {
      const bytes = Buffer.alloc(size, 'abcdefg')
      const part = new PartFile({ path, replace: true, durability: 'none' })
      const zip = new ZipFile(part, 'pass')
      await zip.add('before', Buffer.alloc(777))
      await zip.add('x', bytes)
      await zip.end()
      const sizeBytes = await part.flush()
      await verifyZip(part.fd, { path, sizeBytes, entries: 2, password: 'pass' })
      await part.commit()
      const archive = await openZip({ path, password: 'pass' })
      const entry = archive.entries.get('x')
      expect(entry && archive.read(entry).equals(bytes), `${size} bytes`).toBe(true)
      archive.close()
    }
  })
})

describe('reading back', () => {
  it.each<[string, (bytes: Buffer) => void, number]>([
    ['a changed byte', (bytes) => bytes.writeUInt8((bytes[200] ?? 0) ^ 1, 200), 4],
    ['a local header that is gone', (bytes) => bytes.writeUInt32LE(0, 0), 4],
    ['another number of entries', () => undefined, 5],
    ['a central directory that is gone', (bytes) => bytes.fill(0, bytes.length - 60, bytes.length - 22), 4],
  ])('finds %s', async (_, change, entries) => {
    await writeZip()
    const bytes = readFileSync(path)
    change(bytes)
    writeFileSync(path, bytes)
    const fd = openSync(path, 'r')
    await expect(verifyZip(fd, { path, sizeBytes: bytes.length, entries })).rejects.toMatchObject({
      code: 'ERR_PACK_READBACK',
    })
    closeSync(fd)
  })

  it('finds a changed byte of an encrypted entry', async () => {
    await writeZip('zip', { password: 'x' })
    const bytes = readFileSync(path)
    bytes.writeUInt8((bytes[200] ?? 0) ^ 1, 200)
    writeFileSync(path, bytes)
    const fd = openSync(path, 'r')
    const expected = { path, sizeBytes: bytes.length, entries: 4, password: 'x' }
    await expect(verifyZip(fd, expected)).rejects.toMatchObject({ code: 'ERR_PACK_READBACK' })
    closeSync(fd)
  })
})

describe('records of large archives', () => {
  const huge = 5_000_000_000
  const entry = { name: 'a', crc: 7, sizeBytes: huge, storedBytes: huge, offset: huge + 1, encrypted: false }

  it('tell sizes and offsets in 64 bits', () => {
    const record = centralRecord(entry)
    expect(record.readUInt32LE(20)).toBe(0xffffffff)
    expect(record.readUInt32LE(42)).toBe(0xffffffff)
    const extra = record.subarray(47)
    expect(extra.readUInt16LE(0)).toBe(1)
    expect([4, 12, 20].map((at) => Number(extra.readBigUInt64LE(at)))).toEqual([huge, huge, huge + 1])
    expect(localHeader(entry).readBigUInt64LE(30 + 1 + 4)).toBe(BigInt(huge))
  })

  it('end with the 64 bit records only where they are needed', () => {
    expect(endRecords(10, 1000, 100)).toHaveLength(22)
    for (const end of [endRecords(70_000, 1000, 100), endRecords(10, huge, 100)]) {
      expect(end).toHaveLength(98)
      expect(end.readUInt32LE(0)).toBe(0x06064b50)
    }
    expect(endRecords(10, huge, 100).readBigUInt64LE(56 + 8)).toBe(BigInt(huge + 100))
  })
})

describeWith(['python3', 'unzip'], 'archives seen by other programs', () => {
  it('pass unzip -t, and have the names and times that were promised', async () => {
    await writeZip('cbz', { pageCount: 12_345 })
    execFileSync('unzip', ['-tq', path])
    const script =
      'import zipfile,sys,json\n' +
      'z=zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None\n' +
      'print(json.dumps([[i.filename,i.compress_type,list(i.date_time),i.flag_bits&0x800,oct(i.external_attr>>16)] for i in z.infolist()]))\n'
    const listed: unknown = JSON.parse(execFileSync('python3', ['-c', script, path], { encoding: 'utf8' }))
    const names = [...pages.map((_, i) => `0000${i + 1}.jpg`), 'ComicInfo.xml']
    expect(listed).toEqual(names.map((name) => [name, 0, [1980, 1, 1, 0, 0, 0], 0x800, '0o100644']))
  })

  it('with more than 65,535 entries are read whole', async () => {
    const part = new PartFile({ path, replace: true, durability: 'none' })
    const zip = new ZipFile(part, undefined)
    for (let i = 0; i < 65_540; i++) await zip.add(`${i}.txt`, Buffer.from(String(i)))
    await zip.end()
    await verifyZip(part.fd, { path, sizeBytes: await part.flush(), entries: 65_540 })
    await part.commit()
    const script =
      'import zipfile,sys\nz=zipfile.ZipFile(sys.argv[1])\nassert len(z.infolist())==65540\nassert z.read("65539.txt")==b"65539"\n'
    execFileSync('python3', ['-c', script, path])
  })
})

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { exifJson } from '../../src/images/index.ts'
import { page, u16, withSegment } from './fixtures.ts'

type Entry = readonly [tag: number, type: number, count: number, value: Buffer]

/** A TIFF directory with its values behind it, at `offset` of the block. */
function directory(entries: readonly Entry[], offset: number, le: boolean): Buffer {
  const head = Buffer.alloc(2 + entries.length * 12 + 4)
  const w16 = (value: number, at: number): unknown =>
    le ? head.writeUInt16LE(value, at) : head.writeUInt16BE(value, at)
  const w32 = (value: number, at: number): unknown =>
    le ? head.writeUInt32LE(value, at) : head.writeUInt32BE(value, at)
  w16(entries.length, 0)
  const tail: Buffer[] = []
  let end = offset + head.length
  for (const [i, [tag, type, count, value]] of entries.entries()) {
    const at = 2 + i * 12
    w16(tag, at)
    w16(type, at + 2)
    w32(count, at + 4)
    if (value.length <= 4) value.copy(head, at + 8)
    else {
      w32(end, at + 8)
      tail.push(value)
      end += value.length
    }
  }
  return Buffer.concat([head, ...tail])
}

function numbers(le: boolean, bytes: 2 | 4, ...values: number[]): Buffer {
  const out = Buffer.alloc(values.length * bytes)
  for (const [i, value] of values.entries()) {
    if (le)
      out.writeIntLE(value > 2 ** (bytes * 8 - 1) - 1 ? value - 2 ** (bytes * 8) : value, i * bytes, bytes)
    else out.writeIntBE(value > 2 ** (bytes * 8 - 1) - 1 ? value - 2 ** (bytes * 8) : value, i * bytes, bytes)
  }
  return out
}

function text(value: string): Buffer {
  return Buffer.from(`${value}\0`)
}

function exifBlock(le: boolean): Buffer {
  const long = (value: number): Buffer => numbers(le, 4, value)
  const gpsAt = 600
  const exifAt = 300
  const main = directory(
    [
      [271, 2, 6, text('Maker')],
      [272, 2, 14, text('Mödel "9"\x07!')],
      [274, 3, 1, numbers(le, 2, 6)],
      [282, 5, 1, numbers(le, 4, 600, 2)],
      [40091, 1, 8, Buffer.from('Hé!\0', 'utf16le')],
      [34665, 4, 1, long(exifAt)],
      [34853, 4, 1, long(gpsAt)],
      [60_000, 2, 4, text('no')],
    ],
    8,
    le,
  )
  const exif = directory(
    [
      [33434, 5, 1, numbers(le, 4, 10, 1000)],
      [33437, 5, 1, numbers(le, 4, 28, 10)],
      [36864, 7, 4, Buffer.from('0232')],
      [37380, 10, 1, numbers(le, 4, -1, 3)],
      [37396, 3, 4, numbers(le, 2, 1, 2, 3, 4)],
      [37510, 7, 13, Buffer.from('ASCII\0\0\0hello')],
      [37121, 7, 4, Buffer.from([1, 2, 3, 0])],
    ],
    exifAt,
    le,
  )
  const gps = directory([[2, 5, 3, numbers(le, 4, 38, 1, 53, 1, 2350, 100)]], gpsAt, le)
  const block = Buffer.alloc(700)
  block.write(le ? 'II*\0' : 'MM\0*', 'latin1')
  numbers(le, 4, 8).copy(block, 4)
  main.copy(block, 8)
  exif.copy(block, exifAt)
  gps.copy(block, gpsAt)
  return block
}

const expected = {
  'Image Make': 'Maker',
  'Image Model': 'Mödel "9"!',
  'Image Orientation': '6',
  'Image XResolution': '300',
  'Image XPTitle': 'Hé!',
  'EXIF ExposureTime': '1/100',
  'EXIF FNumber': '14/5',
  'EXIF ExifVersion': '0232',
  'EXIF ExposureBiasValue': '-1/3',
  'EXIF SubjectArea': '[1, 2, 3, 4]',
  'EXIF UserComment': 'hello',
  'EXIF ComponentsConfiguration': '[1, 2, 3, 0]',
  'GPS GPSLatitude': '[38, 53, 47/2]',
}

async function jpegWith(block: Buffer): Promise<Buffer> {
  return withSegment(
    await page(20, 20).jpeg().toBuffer(),
    0xe1,
    Buffer.concat([Buffer.from('Exif\0\0'), block]),
  )
}

describe('exifJson', () => {
  it('reads all directories in both byte orders', async () => {
    for (const le of [true, false]) {
      expect(JSON.parse(await exifJson(await jpegWith(exifBlock(le))))).toEqual(expected)
    }
  })

  it('finds the block in every format that has one', async () => {
    const exif = { IFD0: { Make: 'Trawl', Copyright: 'nobody' } }
    for (const format of ['jpeg', 'png', 'webp', 'avif'] as const) {
      const bytes = await page(20, 20).withExif(exif).toFormat(format).toBuffer()
      expect(JSON.parse(await exifJson(bytes)), format).toMatchObject({
        'Image Make': 'Trawl',
        'Image Copyright': 'nobody',
      })
    }
  })

  it('takes the fields of a TIFF itself', async () => {
    const tiff = await page(20, 30).withMetadata({ density: 300 }).tiff({ compression: 'none' }).toBuffer()
    expect(JSON.parse(await exifJson(tiff))).toMatchObject({
      'Image ImageWidth': '20',
      'Image BitsPerSample': '[8, 8, 8]',
    })
  })

  it('is an empty object where there is nothing', async () => {
    expect(await exifJson(await page(20, 20).jpeg().toBuffer())).toBe('{}')
    expect(await exifJson(Buffer.from('no image'))).toBe('{}')
    expect(await exifJson(await jpegWith(Buffer.from('II*\0')))).toBe('{}')
  })

  it('keeps what is sound when the rest is broken, and never throws', async () => {
    const block = exifBlock(true)
    const cut = await jpegWith(block.subarray(0, 320))
    const end = cut.length - (await page(20, 20).jpeg().toBuffer()).length + 2
    expect(JSON.parse(await exifJson(cut.subarray(0, end)))).toMatchObject({ 'Image Make': 'Maker' })
    const jpeg = await jpegWith(block)
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(760), fc.integer({ min: 0, max: 255 })), { maxLength: 12 }),
        async (changes) => {
          const bytes = Buffer.from(jpeg)
          for (const [at, value] of changes) bytes[at] = value
          expect(typeof JSON.parse(await exifJson(bytes))).toBe('object')
        },
      ),
      { numRuns: 500 },
    )
  })

  it('does not run in circles', async () => {
    const block = exifBlock(true)
    // The EXIF directory that names itself.
    const pointer = block.indexOf(Buffer.concat([Buffer.from(u16(34665)).swap16(), Buffer.from([4, 0])]))
    block.writeUInt32LE(8, pointer + 8)
    expect(JSON.parse(await exifJson(await jpegWith(block)))).toMatchObject({ 'Image Make': 'Maker' })
  })
})

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { isTrawlError } from '../../src/core/index.ts'
import type { ImageFormat } from '../../src/images/index.ts'
import {
  createWindow,
  imageInMemory,
  openImageFile,
  readJpegHeader,
  readPngHeader,
} from '../../src/pack/image-bytes/index.ts'
import { isPlainJpeg } from '../../src/pack/pdf/embed/embed-jpeg.ts'
import { planImage } from '../../src/pack/pdf/embed/plan-image.ts'
import { noiseImage, quadrantImage } from './sample-pages.ts'

const dir = mkdtempSync(join(tmpdir(), 'trawl-bytes-'))
afterAll(() => rmSync(dir, { recursive: true }))
const fixture = (name: string) => readFileSync(new URL(`fixtures/${name}`, import.meta.url))

/** A JPEG with nothing but the segments that are read. */
function jpegOf(frame: number, bitDepth: number, components: number, before: readonly Buffer[] = []): Buffer {
  const body = Buffer.from([
    bitDepth,
    0,
    20,
    0,
    10,
    components,
    ...Array.from({ length: components }, () => [1, 0x11, 0]).flat(),
  ])
  const scan = Buffer.from([0xff, 0xda, 0, 2])
  return Buffer.concat([Buffer.from([0xff, 0xd8]), ...before, segment(0xc0 + frame, body), scan])
}

function segment(marker: number, body: Buffer): Buffer {
  const head = Buffer.from([0xff, marker, 0, 0])
  head.writeUInt16BE(body.length + 2, 2)
  return Buffer.concat([head, body])
}

const header = (bytes: Buffer) => readJpegHeader(imageInMemory('test', bytes))

describe('the segments of a JPEG', () => {
  it.each([
    [0, 8, 3, true],
    [0, 8, 1, true],
    [1, 8, 4, true],
    [2, 8, 3, true],
    [0, 8, 2, false],
    [1, 12, 3, false],
    [3, 8, 3, false],
    [9, 8, 3, false],
    [10, 8, 3, false],
  ])('frame %i, %i bits, %i components: may stand in a PDF: %s', (frame, bits, components, expected) => {
    expect(isPlainJpeg(header(jpegOf(frame, bits, components)))).toBe(expected)
  })

  it('give a profile whose pieces are all there, in any order', () => {
    const piece = (number: number, count: number, text: string) =>
      segment(
        0xe2,
        Buffer.concat([Buffer.from(`ICC_PROFILE\0`), Buffer.from([number, count]), Buffer.from(text)]),
      )
    expect(header(jpegOf(0, 8, 3, [piece(2, 2, 'world'), piece(1, 2, 'hello ')])).icc?.toString()).toBe(
      'hello world',
    )
    expect(header(jpegOf(0, 8, 3, [piece(1, 2, 'hello ')])).icc).toBeUndefined()
  })

  it('may stand apart by fill bytes', () => {
    const bytes = jpegOf(0, 8, 3, [Buffer.from([0xff, 0xff]), segment(0xee, Buffer.from('Adobe'))])
    expect(header(bytes)).toMatchObject({ adobe: true, widthPx: 10, heightPx: 20 })
  })

  it('tell RGB where nothing but the names of components does', () => {
    const bytes = jpegOf(0, 8, 3)
    const at = bytes.length - 4 - 9
    bytes[at] = 0x52
    bytes[at + 3] = 0x47
    bytes[at + 6] = 0x42
    expect(header(bytes).plainRgb).toBe(true)
    expect(header(jpegOf(0, 8, 3)).plainRgb).toBe(false)
  })
})

describe('a PNG', () => {
  it('without its end is told from one that is damaged', async () => {
    const png = await quadrantImage().png().toBuffer()
    const read = (bytes: Buffer) => readPngHeader(imageInMemory('test', bytes))
    expect(() => read(png.subarray(0, -12))).toThrow(expect.objectContaining({ code: 'ERR_IMAGE_TRUNCATED' }))
    expect(() => read(png.subarray(0, -20))).toThrow(expect.objectContaining({ code: 'ERR_IMAGE_DAMAGED' }))
    expect(read(png).dataBytes).toBeGreaterThan(0)
  })
})

describe('a file read through a window', () => {
  it('gives any stretch, as the file has it', () => {
    const path = join(dir, 'random')
    const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * 7919) % 251))
    writeFileSync(path, bytes)
    const file = openImageFile(path, createWindow())
    fc.assert(
      fc.property(fc.nat(210_000), fc.nat(100_000), (offset, length) => {
        expect(file.bytes(offset, length).equals(bytes.subarray(offset, offset + length))).toBe(true)
      }),
    )
    file.close()
  })
})

describe('damaged images', () => {
  it.each<[ImageFormat, () => Promise<Buffer>]>([
    ['jpeg', () => noiseImage({ width: 20, height: 20, channels: 3 }).withIccProfile('p3').jpeg().toBuffer()],
    ['jpeg', () => Promise.resolve(fixture('two.mpo'))],
    ['png', () => noiseImage({ width: 20, height: 20, channels: 3 }).png({ palette: true }).toBuffer()],
    ['jp2', () => Promise.resolve(fixture('rgba.jp2'))],
    ['webp', () => noiseImage({ width: 20, height: 20, channels: 4 }).webp().toBuffer()],
    ['tiff', () => Promise.resolve(fixture('fax.tif'))],
  ])('of %s are taken or refused with an error of ours', async (format, make) => {
    const sound = await make()
    const path = join(dir, `damaged.${format}`)
    const options = { pdfA: true, recode: 'auto', jpegQuality: 92, flatten: false } as const
    const hits = fc.array(fc.tuple(fc.nat(Math.min(sound.length - 1, 400)), fc.nat(255)), { maxLength: 6 })
    const window = createWindow()
    await fc.assert(
      fc.asyncProperty(hits, fc.nat(sound.length), async (changes, length) => {
        const bytes = Buffer.from(sound.subarray(0, length > sound.length / 2 ? sound.length : length))
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value
        writeFileSync(path, bytes)
        const file = openImageFile(path, window)
        try {
          const plan = await planImage(path, file, format, options)
          const total = plan.data.reduce((sum, part) => sum + part.length, 0)
          expect(plan.verbatim ? total : 0).toBeLessThanOrEqual(bytes.length)
        } catch (error) {
          if (!isTrawlError(error)) throw error
        } finally {
          file.close()
        }
      }),
      { numRuns: 120 },
    )
  })
})

import { createHash } from 'node:crypto'
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isTrawlError } from '../../src/core/index.ts'
import { checkImage, checkStructure, createDecodePool, probeImage } from '../../src/images/index.ts'
import {
  animation,
  bmp,
  chainTiff,
  codeOf,
  cut,
  flipBit,
  heic,
  HEIGHT,
  hole,
  jp2,
  jpeg2000Stream,
  jxlHeader,
  makeFiles,
  noise,
  page,
  scribble,
  WIDTH,
  withSegment,
} from './fixtures.ts'

const makers = {
  jpeg: () => page().jpeg({ quality: 88 }).toBuffer(),
  'jpeg 4:4:4': () => page().jpeg({ quality: 92, chromaSubsampling: '4:4:4' }).toBuffer(),
  'jpeg optimised': () => page().jpeg({ quality: 70, optimiseCoding: true }).toBuffer(),
  'jpeg grey': () => page(WIDTH, HEIGHT, 1).toColourspace('b-w').jpeg({ quality: 92 }).toBuffer(),
  'jpeg cmyk': () => page().toColourspace('cmyk').jpeg().toBuffer(),
  'jpeg progressive': () => page().jpeg({ quality: 88, progressive: true }).toBuffer(),
  png: () => page().png({ compressionLevel: 1 }).toBuffer(),
  'png interlaced': () => page().png({ compressionLevel: 1, progressive: true }).toBuffer(),
  'png palette': () => page().png({ palette: true, effort: 1 }).toBuffer(),
  'png bilevel': () => page(WIDTH, HEIGHT, 1).threshold(60).png({ palette: true, colours: 2 }).toBuffer(),
  'png 16 bits': () => page().toColourspace('rgb16').png({ compressionLevel: 1 }).toBuffer(),
  'png alpha': () => page(WIDTH, HEIGHT, 4).png({ compressionLevel: 1 }).toBuffer(),
  'webp lossy': () => page().webp({ effort: 0, quality: 90 }).toBuffer(),
  'webp lossless': () => page().webp({ effort: 0, lossless: true }).toBuffer(),
  'webp animated': () => animation().webp({ effort: 0, quality: 90 }).toBuffer(),
  gif: () => page(200, 150).gif({ effort: 1 }).toBuffer(),
  'gif animated': () => animation().gif({ effort: 1 }).toBuffer(),
  avif: () => page(200, 150).avif({ effort: 0, quality: 90 }).toBuffer(),
  tiff: () => page().tiff({ compression: 'lzw' }).toBuffer(),
  'tiff jpeg': () => page().tiff({ compression: 'jpeg', quality: 90 }).toBuffer(),
  'tiff bilevel': () => page(WIDTH, HEIGHT, 1).toColourspace('b-w').tiff({ bitdepth: 1 }).toBuffer(),
}

const names = Object.keys(makers)
let file: (name: string) => Buffer
let dir: string

beforeAll(async () => {
  file = await makeFiles(makers)
  dir = await mkdtemp(join(tmpdir(), 'trawl-check-'))
})
afterAll(() => rm(dir, { recursive: true, force: true }))

describe('checkImage passes what is whole', () => {
  it.each(names)('%s, in full and without a remark', async (name) => {
    const checked = await checkImage(file(name))
    expect(checked).toEqual({
      facts: probeImage(file(name)),
      checked: 'decode',
      decodedFrames: probeImage(file(name))!.frames,
    })
  })

  it('images of one pixel, and of 30,000 rows', async () => {
    for (const format of ['jpeg', 'png', 'webp', 'gif', 'tiff'] as const) {
      expect((await checkImage(await page(1, 1).toFormat(format).toBuffer())).checked).toBe('decode')
    }
    const tall = await page(40, 30_000).jpeg().toBuffer()
    expect((await checkImage(tall)).facts.heightPx).toBe(30_000)
    expect(await codeOf(checkImage(hole(tall)))).toBe('ERR_IMAGE_DAMAGED')
  })

  it('all pages of a TIFF, and the damage in the last of them', async () => {
    const one = await page(200, 150).tiff({ compression: 'lzw' }).toBuffer()
    const three = chainTiff(one, 3)
    expect(await checkImage(three)).toMatchObject({ checked: 'decode', decodedFrames: 3 })
    expect(await codeOf(checkImage(cut(three, 6)))).toBe('ERR_IMAGE_TRUNCATED')
    // A last page of another height than its strips hold.
    const tall = Buffer.from(three)
    const last = tall.lastIndexOf(Buffer.from([1, 1, 3, 0, 1, 0, 0, 0, 150, 0]))
    expect(last).toBeGreaterThan(one.length)
    tall.writeUInt16LE(650, last + 8)
    expect(await codeOf(checkImage(tall))).toBe('ERR_IMAGE_DAMAGED')
  })

  it('formats without a decoder, by their structure, and says so', async () => {
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"></svg>\n')
    for (const bytes of [
      jp2(60, 40),
      jpeg2000Stream(60, 40),
      heic(60, 40),
      bmp(9, 9),
      svg,
      jxlHeader(60, 40),
    ]) {
      expect((await checkImage(bytes)).checked).toBe('structure')
    }
    expect((await checkImage(jxlHeader(60, 40))).suspicious).toEqual([
      expect.stringContaining('end cannot be'),
    ])
  })
})

describe('the damage table', () => {
  const cuts = [1, 2, 12, 100] as const
  it.each(names)('%s: every cut is caught', async (name) => {
    const bytes = file(name)
    for (const count of [...cuts, bytes.length >> 1, bytes.length - 40]) {
      const code = await codeOf(checkImage(cut(bytes, count)))
      // Some TIFF writers put the directory last; then its cut end names places behind the file.
      expect(code, `${name} cut by ${count}`).toBe('ERR_IMAGE_TRUNCATED')
    }
  })

  it.each(names)('%s: a cut whose place was filled with zeros is caught or noted', async (name) => {
    const bytes = file(name)
    const judge = async (): Promise<void> => {
      const { suspicious } = await checkImage(hole(bytes, bytes.length, 0.6))
      if (suspicious === undefined) throw new Error('passed without a remark')
    }
    const code = await codeOf(judge())
    if (/webp|gif/.test(name)) expect(['passed', 'ERR_IMAGE_TRUNCATED', 'ERR_IMAGE_DAMAGED']).toContain(code)
    else expect(code).toMatch(/^ERR_IMAGE_(TRUNCATED|DAMAGED)$/)
  })

  const decodersSee = names.filter((name) => !/webp|tiff bilevel/.test(name))
  it.each(decodersSee)('%s: 4 KiB of zeros in the middle are caught', async (name) => {
    for (const at of [0.3, 0.5, 0.7]) {
      const pierced = hole(file(name), Math.min(4096, file(name).length >> 2), at)
      expect(await codeOf(checkImage(pierced)), `at ${at}`).toBe('ERR_IMAGE_DAMAGED')
    }
  })

  it.each(['webp lossy', 'webp lossless'] as const)(
    '%s: zeros decode as picture, so they are noted',
    async (name) => {
      const bytes = hole(file(name))
      const code = await codeOf(checkImage(bytes))
      if (code !== 'passed') return expect(code).toBe('ERR_IMAGE_DAMAGED')
      expect((await checkImage(bytes)).suspicious).toEqual([expect.stringMatching(/zero bytes at \d+/)])
    },
  )

  const exactCode = ['jpeg', 'jpeg 4:4:4', 'jpeg optimised', 'jpeg grey', 'jpeg cmyk'] as const
  it.each(exactCode)(
    '%s: other bytes in the middle are caught, also where libjpeg is silent',
    async (name) => {
      for (const length of [512, 4096]) {
        expect(await codeOf(checkImage(scribble(file(name), length)))).toBe('ERR_IMAGE_DAMAGED')
      }
    },
  )

  it('libjpeg alone misses a hole that the walk over the code catches', async () => {
    const bytes = hole(file('jpeg 4:4:4'))
    await expect(sharp(bytes, { failOn: 'warning' }).raw().toBuffer()).resolves.toBeInstanceOf(Buffer)
    await expect(checkImage(bytes)).rejects.toThrow(/image data is wrong/)
  })

  it('PNG: a wrong checksum is caught without decoding, even of one bit', async () => {
    const png = file('png')
    expect(await codeOf(checkImage(flipBit(png), { level: 'structure' }))).toBe('ERR_IMAGE_DAMAGED')
    expect(await codeOf(checkImage(png.subarray(0, -12)))).toBe('ERR_IMAGE_TRUNCATED')
  })

  it('a flipped bit passes a decode; the digest of the source catches it', async () => {
    const good = file('jpeg')
    const digest = { algorithm: 'sha-256', value: createHash('sha256').update(good).digest('hex') } as const
    const passed: Buffer[] = []
    for (let i = 0; i < 10; i++) {
      const flipped = flipBit(good, 0.3 + i / 50)
      if ((await codeOf(checkImage(flipped))) === 'passed') passed.push(flipped)
    }
    expect(passed.length).toBeGreaterThan(0)
    for (const flipped of passed) {
      expect(await codeOf(checkImage(flipped, { expected: { digests: [digest] } }))).toBe(
        'ERR_DIGEST_MISMATCH',
      )
    }
    const checked = await checkImage(good, { expected: { digests: [digest] } })
    expect(checked).toMatchObject({ checked: 'decode', sha256: digest.value })
  })

  it.each(names)('%s: bytes behind the end are allowed and counted', async (name) => {
    const junk = Buffer.from('<!-- added by a proxy -->')
    const checked = await checkImage(Buffer.concat([file(name), junk]))
    expect(checked.checked).toBe('decode')
    if (!name.startsWith('tiff')) expect(checked.trailingBytes).toBe(junk.length)
  })

  it('JPEG 2000, HEIC, BMP: cuts are caught by structure; a hole is noted', async () => {
    for (const bytes of [jp2(60, 40), jpeg2000Stream(60, 40), heic(60, 40), bmp(60, 40)]) {
      for (const count of [1, 2, 100]) {
        expect(await codeOf(checkImage(cut(bytes, count)))).toBe('ERR_IMAGE_TRUNCATED')
      }
    }
    const pierced = jpeg2000Stream(60, 40, 3, 20_000)
    pierced.fill(0, 6000, 12_000)
    expect((await checkImage(pierced)).suspicious).toEqual([expect.stringContaining('zero bytes')])
    expect(await codeOf(checkImage(Buffer.from('<svg width="9" height="9"><path d="M1')))).toBe(
      'ERR_IMAGE_TRUNCATED',
    )
  })
})

describe('what is no image', () => {
  const cases: readonly (readonly [string, Buffer, string, RegExp])[] = [
    ['nothing', Buffer.alloc(0), 'ERR_IMAGE_EMPTY', /no bytes/],
    ['zeros', Buffer.alloc(9000), 'ERR_IMAGE_EMPTY', /9000 bytes, all zero/],
    [
      'a web page',
      Buffer.from('\n<!DOCTYPE html><html><head><title> Log\n in </title>'),
      'ERR_IMAGE_NOT_IMAGE',
      /titled "Log in"/,
    ],
    ['JSON', Buffer.from('{"error":"gone"}'), 'ERR_IMAGE_NOT_IMAGE', /JSON/],
    ['text', Buffer.from('Too many requests'), 'ERR_IMAGE_NOT_IMAGE', /text \("Too many/],
    ['XML', Buffer.from('<?xml version="1.0"?><Error/>'), 'ERR_IMAGE_NOT_IMAGE', /XML/],
    ['a PDF', Buffer.from('%PDF-1.7\n'), 'ERR_IMAGE_NOT_IMAGE', /PDF/],
    ['a video', Buffer.from('\0\0\0\x20ftypisom\0\0\0\0'), 'ERR_IMAGE_NOT_IMAGE', /video/],
    ['noise', Buffer.from(noise(300, 1, 1).map((b) => b | 0x80)), 'ERR_IMAGE_NOT_IMAGE', /unknown/],
  ]
  it.each(cases)('%s', async (_, bytes, code, message) => {
    for (const level of ['none', 'structure', 'decode'] as const) {
      const path = join(dir, 'page.jpg')
      await writeFile(path, bytes)
      const error: unknown = await checkImage(path, { level }).catch((caught: unknown) => caught)
      if (!isTrawlError(error)) throw new Error('passed')
      expect(error.code).toBe(code)
      expect(error.message).toMatch(message)
      expect(error.message).toContain(path)
    }
  })

  it('a missing file is a storage error', async () => {
    expect(await codeOf(checkImage(join(dir, 'no-such.jpg')))).toBe('ERR_IO')
    expect(await codeOf(checkImage(dir))).toMatch(/^ERR_I/)
  })
})

describe('what the source says', () => {
  it('length, size and digests must agree', async () => {
    const bytes = file('jpeg')
    expect(await codeOf(checkImage(bytes, { expected: { sizeBytes: bytes.length + 1 } }))).toBe(
      'ERR_LENGTH_MISMATCH',
    )
    expect(await codeOf(checkImage(bytes, { expected: { widthPx: WIDTH + 2 } }))).toBe('ERR_IMAGE_DIMENSIONS')
    expect(await codeOf(checkImage(bytes, { expected: { heightPx: 1 }, level: 'none' }))).toBe(
      'ERR_IMAGE_DIMENSIONS',
    )
    const fits = { widthPx: WIDTH, heightPx: HEIGHT, sizeBytes: bytes.length, format: 'jpeg' } as const
    expect((await checkImage(bytes, { expected: fits })).suspicious).toBeUndefined()
    for (const [algorithm, node] of [
      ['md5', 'md5'],
      ['sha-1', 'sha1'],
      ['sha-512', 'sha512'],
    ] as const) {
      const value = createHash(node).update(bytes).digest('hex')
      await checkImage(bytes, { level: 'none', expected: { digests: [{ algorithm, value }] } })
      const wrong = { algorithm, value: value.replace(/^./, (c) => (c === '0' ? '1' : '0')) }
      expect(await codeOf(checkImage(bytes, { level: 'none', expected: { digests: [wrong] } }))).toBe(
        'ERR_DIGEST_MISMATCH',
      )
    }
    const crc = { algorithm: 'crc32c', value: '00000000' } as const
    expect(await codeOf(checkImage(bytes, { expected: { digests: [crc] } }))).toBe('ERR_DIGEST_MISMATCH')
  })

  it('a turned picture may be described either way', async () => {
    const turned = await page().withMetadata({ orientation: 6 }).jpeg().toBuffer()
    await checkImage(turned, { expected: { widthPx: HEIGHT, heightPx: WIDTH } })
    await checkImage(turned, { expected: { widthPx: WIDTH, heightPx: HEIGHT } })
    expect(await codeOf(checkImage(turned, { expected: { widthPx: WIDTH, heightPx: WIDTH } }))).toBe(
      'ERR_IMAGE_DIMENSIONS',
    )
  })

  it('another format is only noted', async () => {
    const checked = await checkImage(file('webp lossy'), { expected: { format: 'jpeg' } })
    expect(checked.suspicious).toEqual(['the image is webp, not jpeg'])
  })
})

describe('oddities that harm nothing are notes', () => {
  it('a few spare bytes before the end marker', async () => {
    for (const name of ['jpeg', 'jpeg progressive'] as const) {
      const padded = Buffer.concat([
        file(name).subarray(0, -2),
        Buffer.from([1, 2, 3, 4]),
        file(name).subarray(-2),
      ])
      expect((await checkImage(padded)).suspicious).toEqual([
        expect.stringMatching(/\d (spare|extraneous) bytes/),
      ])
    }
    const full = Buffer.concat([
      file('jpeg').subarray(0, -2),
      Buffer.alloc(300, 7),
      file('jpeg').subarray(-2),
    ])
    expect(await codeOf(checkImage(full))).toBe('ERR_IMAGE_DAMAGED')
  })

  it('wrong scan parameters, as some phones write them', async () => {
    const bytes = Buffer.from(file('jpeg'))
    const sos = bytes.indexOf(Buffer.from([0xff, 0xda]))
    bytes[sos + 5 + bytes[sos + 4]! * 2 + 1] = 0
    const checked = await checkImage(bytes)
    expect(checked.checked).toBe('decode')
    expect(checked.suspicious).toEqual([expect.stringContaining('Invalid SOS parameters')])
    expect(await codeOf(checkImage(hole(bytes)))).toBe('ERR_IMAGE_DAMAGED')
  })

  it('a wrong checksum of a chunk that the picture does not need', async () => {
    const png = await page(40, 30).withMetadata({ density: 200 }).png().toBuffer()
    const phys = png.indexOf('pHYs')
    const bytes = flipAt(png, phys + 4 + 9)
    expect((await checkStructure(bytes)).notes).toEqual(['chunk pHYs has a wrong CRC'])
  })

  it('stray bytes between segments', async () => {
    const jpeg = file('jpeg')
    const bytes = Buffer.concat([
      jpeg.subarray(0, 2),
      Buffer.from([0xff, 0xe5, 0, 3, 9, 0, 0, 0]),
      jpeg.subarray(2),
    ])
    expect((await checkStructure(bytes)).notes).toEqual([expect.stringContaining('stray bytes')])
  })
})

describe('the cap on pixels', () => {
  it('is read from the header, before anything is decoded', async () => {
    const png = file('png')
    expect(await codeOf(checkImage(png, { maxPixels: WIDTH * HEIGHT - 1 }))).toBe('ERR_IMAGE_TOO_LARGE')
    expect((await checkImage(png, { maxPixels: WIDTH * HEIGHT })).checked).toBe('decode')
    // A bomb: a header that claims 60,000 x 60,000 over a few bytes of data.
    const bomb = Buffer.from(png)
    bomb.writeUInt32BE(60_000, 16)
    bomb.writeUInt32BE(60_000, 20)
    expect(await codeOf(checkImage(bomb))).toBe('ERR_IMAGE_TOO_LARGE')
  })

  it('counts the frames of an animation', async () => {
    const animated = await animation(20, 60, 40).gif({ effort: 1 }).toBuffer()
    expect((await checkImage(animated, { maxPixels: 60 * 40 * 3 })).decodedFrames).toBe(20)
    expect(await codeOf(checkImage(animated, { maxPixels: 60 * 40 * 2 }))).toBe('ERR_IMAGE_TOO_LARGE')
  })
})

describe('files', () => {
  it('are checked like bytes, also where they do not fit into memory at once', async () => {
    const big = await page(2400, 6000).png({ compressionLevel: 0 }).toBuffer()
    expect(big.length).toBeGreaterThan(33 << 20)
    const path = join(dir, 'big.png')
    await writeFile(path, big)
    const checked = await checkImage(path, { sha256: true })
    expect(checked).toMatchObject({
      checked: 'decode',
      sha256: createHash('sha256').update(big).digest('hex'),
    })
    await truncate(path, big.length - 5)
    expect(await codeOf(checkImage(path))).toBe('ERR_IMAGE_TRUNCATED')
  })

  it('a JPEG larger than one piece is walked over all its borders', async () => {
    const bytes = await page(2000, 3000).jpeg({ quality: 98, chromaSubsampling: '4:4:4' }).toBuffer()
    expect(bytes.length).toBeGreaterThan(3 << 20)
    const path = join(dir, 'big.jpg')
    await writeFile(path, withSegment(bytes, 0xef, Buffer.alloc(1000, 0xff)))
    expect(await checkImage(path)).toMatchObject({ checked: 'decode' })
    expect((await checkImage(path)).suspicious).toBeUndefined()
    await writeFile(path, scribble(bytes, 700, 0.8))
    expect(await codeOf(checkImage(path))).toBe('ERR_IMAGE_DAMAGED')
  })
})

describe('checkStructure', () => {
  it('never fails in a way of its own, whatever the bytes', async () => {
    const sources = [...names.map((name) => file(name)), jp2(60, 40), heic(60, 40), bmp(8, 8)]
    const change = fc.tuple(fc.nat(4000), fc.integer({ min: 0, max: 255 }))
    await fc.assert(
      fc.asyncProperty(
        fc.nat(sources.length - 1),
        fc.array(change, { maxLength: 8 }),
        fc.nat(6000),
        async (index, changes, end) => {
          const bytes = Buffer.from(sources[index]!)
          for (const [place, value] of changes) if (place < bytes.length) bytes[place] = value
          const code = await codeOf(checkStructure(bytes.subarray(0, end)))
          expect(code).toMatch(/^(passed|ERR_IMAGE_(TRUNCATED|DAMAGED|NOT_IMAGE))$/)
        },
      ),
      { numRuns: 400 },
    )
  })

  it('refuses formats that contradict themselves', async () => {
    const png = file('png')
    const noData = Buffer.concat([png.subarray(0, 33), png.subarray(-12)])
    expect(await codeOf(checkStructure(noData))).toBe('ERR_IMAGE_DAMAGED')
    expect(await codeOf(checkStructure(Buffer.from([0xff, 0xd8, 0xff, 0xd9])))).toBe('ERR_IMAGE_DAMAGED')
    const circle = Buffer.from('II*\0\x08\0\0\0\x01\0\x11\x01\x04\0\x01\0\0\0\x04\0\0\0\x08\0\0\0', 'latin1')
    expect(await codeOf(checkStructure(circle))).toBe('ERR_IMAGE_DAMAGED')
  })
})

describe('createDecodePool', () => {
  it('bounds images and pixels, keeps the order, and lets a giant run alone', async () => {
    const pool = createDecodePool({ maxPixelsInFlight: 100, maxJobs: 3 })
    const started: number[] = []
    const gates = [60, 30, 20, 500, 10].map((pixels, i) => {
      const gate = Promise.withResolvers<void>()
      const done = pool.run(pixels, () => {
        started.push(i)
        return gate.promise
      })
      return { gate, done }
    })
    const finish = async (i: number): Promise<void> => {
      gates[i]!.gate.resolve()
      await gates[i]!.done
    }
    expect(started).toEqual([])
    await Promise.resolve()
    expect(started).toEqual([0, 1])
    await finish(0)
    expect(started).toEqual([0, 1, 2])
    await finish(1)
    expect(started).toEqual([0, 1, 2])
    await finish(2)
    expect(started).toEqual([0, 1, 2, 3])
    expect(pool).toMatchObject({ pixelsInFlight: 500, jobs: 1, waiting: 1 })
    await finish(3)
    await finish(4)
    expect(pool).toMatchObject({ pixelsInFlight: 0, jobs: 0, waiting: 0 })
  })

  it('gives the place back after an error, and lets waiting ones be cancelled', async () => {
    const pool = createDecodePool({ maxJobs: 1 })
    const gate = Promise.withResolvers<void>()
    const first = pool.run(1, () => gate.promise)
    const abort = new AbortController()
    const second = pool.run(1, () => Promise.resolve('never'), abort.signal)
    const third = pool.run(1, () => Promise.resolve('third'))
    abort.abort()
    expect(await codeOf(second)).toBe('ERR_CANCELLED')
    gate.reject(new Error('broken'))
    await expect(first).rejects.toThrow('broken')
    expect(await third).toBe('third')
    expect(await codeOf(checkImage(file('jpeg'), { pool, signal: abort.signal }))).toBe('ERR_CANCELLED')
  })
})

function flipAt(bytes: Buffer, place: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[place] = copy[place]! ^ 1
  return copy
}

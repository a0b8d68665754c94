import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import sharp from 'sharp'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import {
  createApartResizer,
  createDecodePool,
  createLocalResizer,
  type SampleOrder,
  type SampleResizer,
} from '../../src/images/index.ts'
import { codeOf, cut, fromRaw, noise, page } from './fixtures.ts'

const order = { sizePx: 64, mode: 'keep_ratio_largest', encode: 'jpg' } as const satisfies SampleOrder

const jpeg = (widthPx: number, heightPx: number): Promise<Buffer> => page(widthPx, heightPx).jpeg().toBuffer()

const kinds: readonly (readonly [name: string, create: () => SampleResizer])[] = [
  ['in this process', () => createLocalResizer(createDecodePool())],
  ['apart', createApartResizer],
]

describe.each(kinds)('a sample resizer %s', (_name, create) => {
  const resizer = create()
  afterAll(() => resizer.close())

  it('makes the sample, with EXIF and hash where they are wanted', async () => {
    const bytes = await page(200, 100)
      .withExif({ IFD0: { Make: 'Maker' } })
      .jpeg()
      .toBuffer()
    const made = await resizer.resize(bytes, { ...order, exif: true, phash: true })
    expect(made).toMatchObject({
      widthPx: 64,
      heightPx: 32,
      originalWidthPx: 200,
      originalHeightPx: 100,
      reencoded: true,
      exif: expect.stringContaining('"Image Make":"Maker"'),
    })
    expect(made.phash).toMatch(/^[0-9a-f]{16}$/)
    expect(await sharp(made.bytes).metadata()).toMatchObject({ format: 'jpeg', width: 64, height: 32 })
    const plain = await resizer.resize(bytes, order)
    expect(plain.bytes.equals(made.bytes)).toBe(true)
    expect(plain).not.toHaveProperty('exif')
    expect(plain).not.toHaveProperty('phash')
  })

  it('gives the bytes back that need no change', async () => {
    const bytes = await jpeg(60, 40)
    const kept = { ...order, onlyIfBigger: true, keepOriginalIfUntouched: true }
    const made = await resizer.resize(bytes, kept)
    expect(made.reencoded).toBe(false)
    expect(made.bytes.equals(bytes)).toBe(true)
  })

  it('takes many at once and mixes nothing up', async () => {
    const sides = Array.from({ length: 12 }, (_, i) => 70 + i * 10)
    const images = await Promise.all(sides.map((side) => jpeg(side, 70)))
    const made = await Promise.all(images.map((bytes) => resizer.resize(bytes, order)))
    expect(made.map(({ originalWidthPx }) => originalWidthPx)).toEqual(sides)
  })

  it('rejects with the error of the image, and goes on', async () => {
    const bytes = await jpeg(200, 100)
    expect(await codeOf(resizer.resize(Buffer.from('<html></html>'), order))).toBe('ERR_IMAGE_NOT_IMAGE')
    expect(await codeOf(resizer.resize(cut(bytes, 800), order))).toBe('ERR_IMAGE_TRUNCATED')
    await expect(resizer.resize(bytes, { ...order, minImageSizePx: 150 })).rejects.toMatchObject({
      code: 'ERR_SAMPLE_FILTERED',
      context: { filter: 'image too small' },
    })
    expect((await resizer.resize(bytes, order)).widthPx).toBe(64)
  })

  it('tells when the work on an image begins and ends', async () => {
    const told: string[] = []
    const atWork = (): (() => void) => {
      told.push('begin')
      return () => void told.push('end')
    }
    await resizer.resize(await jpeg(200, 100), order, { atWork })
    expect(told).toEqual(['begin', 'end'])
    await resizer.resize(cut(await jpeg(200, 100), 800), order, { atWork }).catch(() => {})
    expect(told).toEqual(['begin', 'end', 'begin', 'end'])
  })

  it('rejects what is cancelled', async () => {
    const abort = new AbortController()
    const { signal } = abort
    const bytes = await jpeg(200, 100)
    const all = Array.from({ length: 20 }, () => codeOf(resizer.resize(bytes, order, { signal })))
    abort.abort()
    const codes = await Promise.all(all)
    expect(codes).toContain('ERR_CANCELLED')
    expect(await codeOf(resizer.resize(bytes, order, { signal }))).toBe('ERR_CANCELLED')
    expect((await resizer.resize(bytes, order)).widthPx).toBe(64)
  })
})

/** The processes for image work that this one has started. */
function workerPids(): number[] {
  const read = (path: string): string => {
    try {
      return readFileSync(path, 'utf8')
    } catch {
      return ''
    }
  }
  return readdirSync(`/proc/${process.pid}/task`)
    .flatMap((thread) => read(`/proc/${process.pid}/task/${thread}/children`).split(' '))
    .filter((pid) => pid.trim() !== '' && read(`/proc/${pid}/cmdline`).includes('resize-worker'))
    .map(Number)
}

describe.skipIf(process.platform !== 'linux')('a process apart that dies', () => {
  async function killed(resizer: SampleResizer, bytes: Uint8Array): Promise<unknown> {
    const begun = Promise.withResolvers<void>()
    const atWork = (): (() => void) => {
      begun.resolve()
      return () => {}
    }
    const made = resizer.resize(bytes, order, { atWork }).catch((error: unknown) => error)
    await begun.promise
    while (workerPids().length === 0) await sleep(1)
    for (const pid of workerPids()) process.kill(pid, 'SIGKILL')
    return made
  }

  it('takes only its image with it', async () => {
    const resizer = createApartResizer()
    onTestFinished(() => resizer.close())
    const bytes = await fromRaw(noise(1200, 900), 1200, 900).png().toBuffer()
    expect(await killed(resizer, bytes)).toMatchObject({
      code: 'ERR_IMAGE_DAMAGED',
      message: expect.stringContaining('SIGKILL'),
      retry: 'never',
      scope: 'task',
    })
    expect((await resizer.resize(bytes, order)).widthPx).toBe(64)
  })

  it('leaves nothing behind when it is closed at work', async () => {
    const resizer = createApartResizer()
    const made = codeOf(resizer.resize(await jpeg(200, 100), order))
    await sleep(1)
    await resizer.close()
    expect(await made).toBe('ERR_CANCELLED')
    expect(workerPids()).toEqual([])
    expect(await codeOf(resizer.resize(await jpeg(200, 100), order))).toBe('ERR_CANCELLED')
  })
})

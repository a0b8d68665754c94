/**
 * What images cost: `node bench/images.ts [ROUNDS]`, 20 without. Milliseconds of CPU (all threads) and of time for
 * one image, and the memory of the process after it. Pictures are made by arithmetic: soft shapes with noise on them,
 * about as many bytes as a scanned page or a photo. Prints a line of JSON for each case.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp, { type JpegOptions } from 'sharp'
import {
  checkImage,
  checkStructure,
  exifJson,
  longImage,
  perceptualHash,
  placeholderPage,
  probeImage,
  resizeSample,
  transformPage,
} from '../src/images/index.ts'

/** Soft shapes, and noise of so many levels on top. */
function picture(width: number, height: number, noise: number): Buffer {
  const pixels = Buffer.alloc(width * height * 3)
  let state = 7
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const base = 128 + 60 * Math.sin(x / 37 + y / 91) + 50 * Math.cos(y / 23 - x / 131)
      for (let c = 0; c < 3; c++, at++) {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0
        pixels[at] = Math.min(255, Math.max(0, base + c * 9 + ((state >>> 24) * noise) / 256))
      }
    }
  }
  return pixels
}

async function jpeg(
  width: number,
  height: number,
  noise: number,
  options: JpegOptions = {},
): Promise<Buffer> {
  const raw = { width, height, channels: 3 } as const
  return sharp(picture(width, height, noise), { raw })
    .jpeg({ quality: 85, optimiseCoding: false, ...options })
    .toBuffer()
}

let outputs = 0

/** Two at once must not write the same file; a few names are enough, and the folder stays small. */
function nextName(): string {
  return `out-${outputs++ % 4}`
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

async function measure(name: string, rounds: number, work: () => Promise<unknown>): Promise<void> {
  await work()
  await work()
  const [cpu, started] = [cpuMs(), performance.now()]
  for (let i = 0; i < rounds; i += 2) await Promise.all([work(), work()])
  const turns = Math.ceil(rounds / 2) * 2
  print(name, {
    cpuMs: round((cpuMs() - cpu) / turns),
    perCpuSecond: Math.round((1000 * turns) / (cpuMs() - cpu)),
    wallMs: round((performance.now() - started) / turns),
    rssMiB: Math.round(process.memoryUsage.rss() / 2 ** 20),
  })
}

function print(name: string, facts: object): void {
  console.log(JSON.stringify({ name, ...facts }))
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}

const rounds = Number(process.argv[2] ?? 20)
const dir = await mkdtemp(join(tmpdir(), 'trawl-bench-images-'))
try {
  await benchPages()
  await benchSamples()
  await benchTall()
  print('peak memory', { rssMiB: Math.round(process.resourceUsage().maxRSS / 1024) })
} finally {
  await rm(dir, { recursive: true, force: true })
}

async function benchPages(): Promise<void> {
  const path = join(dir, 'page.jpg')
  for (const chromaSubsampling of ['4:2:0', '4:4:4']) {
    const page = await jpeg(1200, 1800, 20, { chromaSubsampling })
    await writeFile(path, page)
    const name = `1200x1800 ${chromaSubsampling} ${Math.round(page.length / 1024)} KiB`
    await measure(`${name}: probe`, rounds * 50, async () => probeImage(page))
    await measure(`${name}: structure`, rounds, () => checkStructure(path))
    await measure(`${name}: full check`, rounds, () => checkImage(path))
    await measure(`${name}: full check and SHA-256`, rounds, () => checkImage(path, { sha256: true }))
    await measure(`${name}: raw decode, for comparison`, rounds, () => sharp(path).raw().toBuffer())
    for (const quality of [92, 95]) {
      const plan = { descramble: { kind: 'strips', strips: 10 }, quality } as const
      await measure(`${name}: strips:10, quality ${quality}`, rounds, () =>
        transformPage(path, plan, { dir, name: nextName() }),
      )
    }
  }
  const progressive = await jpeg(1200, 1800, 20, { progressive: true })
  await measure('1200x1800 progressive: full check', rounds, () => checkImage(progressive))
  const raw = { width: 1200, height: 1800, channels: 3 } as const
  const png = await sharp(picture(1200, 1800, 4), { raw })
    .png({ compressionLevel: 6 })
    .toBuffer()
  await measure(`1200x1800 PNG ${Math.round(png.length / 1024)} KiB: full check`, rounds, () =>
    checkImage(png),
  )
  const webp = await sharp(picture(1200, 1800, 10), { raw })
    .webp({ effort: 1 })
    .toBuffer()
  await measure(`1200x1800 WebP ${Math.round(webp.length / 1024)} KiB: full check`, rounds, () =>
    checkImage(webp),
  )
  await measure('placeholder 1200x1800', rounds, () =>
    placeholderPage({ lines: ['page 57 missing', 'HTTP 404'], widthPx: 1200, heightPx: 1800 }),
  )
}

async function benchSamples(): Promise<void> {
  const sources = {
    '1 MP': await jpeg(1152, 864, 18),
    '1 MP progressive': await jpeg(1152, 864, 18, { progressive: true }),
    '6 MP': await jpeg(2880, 2160, 14),
  }
  for (const [name, bytes] of Object.entries(sources)) {
    const label = `${name} ${Math.round(bytes.length / 1024)} KiB`
    for (const mode of ['border', 'keep_ratio', 'center_crop'] as const) {
      await measure(`${label}: ${mode} 256, JPEG 95`, rounds * 2, () =>
        resizeSample(bytes, { sizePx: 256, mode, encode: 'jpg' }),
      )
    }
    await measure(`${label}: sharp alone`, rounds * 2, () =>
      sharp(bytes).resize(256, 256, { fit: 'inside' }).jpeg({ quality: 95 }).toBuffer(),
    )
  }
  const small = await resizeSample(sources['1 MP'], { sizePx: 256, mode: 'keep_ratio', encode: 'jpg' })
  await measure('dhash of a 256 px sample', rounds * 2, () => perceptualHash(small.bytes))
  await measure('phash of a 256 px sample', rounds * 2, () => perceptualHash(small.bytes, 'phash'))
  await measure('EXIF as JSON', rounds * 10, () => exifJson(sources['1 MP']))
}

async function benchTall(): Promise<void> {
  const path = join(dir, 'tall.jpg')
  await writeFile(path, await jpeg(1000, 30_000, 16))
  await measure('1000x30000: full check', 2, () => checkImage(path))
  await measure('1000x30000: strips:12 and slices of 3000', 2, () =>
    transformPage(
      path,
      { descramble: { kind: 'strips', strips: 12 }, sliceHeightPx: 3000 },
      { dir, name: nextName() },
    ),
  )
  await measure('long image of 60,000 rows', 2, () => longImage([path, path], { dir, name: nextName() }))
}

import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import type { Benchmark, BenchReport, BenchSetting, Target } from './benchmark.ts'
import { compare, type ContenderRuns } from './compare.ts'
import type { Contender, UrlList } from './contender.ts'
import { writeUrlList } from './corpus.ts'
import { startNginx } from './origins/nginx.ts'
import { chosen } from './peers/chosen.ts'
import { pythonPeer, type PythonPeer } from './peers/python/python-peer.ts'
import { trawlList, type TrawlPeer } from './peers/trawl.ts'
import { named, ratio } from './ratios.ts'

const fullCount = 3000
/** So many pictures differ; the others are copies, which no program can know. */
const differentCount = 24

const scripts: readonly PythonPeer[] = [
  { name: 'aiohttp + Pillow', script: 'aiohttp_pillow.py', modules: ['aiohttp', 'PIL'] },
  { name: 'threads + OpenCV', script: 'threads_opencv.py', modules: ['urllib3', 'cv2', 'numpy'] },
  { name: 'img2dataset', script: 'img2dataset_run.py', modules: ['img2dataset'] },
]

/** 3,000 photos made small. */
export const dataset: Benchmark = {
  title: '3,000 photos of 1 MP and about 130 kB to 256 px JPEG of quality 95',
  async run(setting: BenchSetting): Promise<BenchReport> {
    return onPhotos(setting, async (list, bytes) => {
      const contenders = await compare({
        ...setting,
        contenders: chosen(
          setting,
          (trawl) =>
            trawlDataset(trawl, list, ['--image-size', '256', '--resize-mode', 'keep_ratio_largest']),
          scripts.map((script) => pythonPeer(script, list)),
        ),
        rounds: setting.rounds ?? 5,
        timeoutMs: 300_000,
        check: (out) => checkImages(out, list.count),
      })
      return {
        work: { files: list.count, bytes },
        contenders,
        targets: [
          target(contenders, 'aiohttp', 0.5),
          target(contenders, 'threads', 0.75),
          target(contenders, 'img2dataset', 0.75),
        ],
      }
    })
  },
}

/** The same photos kept as they are, beside plain files. */
export const datasetKeep: Benchmark = {
  title: '3,000 photos of about 130 kB, kept as they are, in tar shards',
  async run(setting: BenchSetting): Promise<BenchReport> {
    return onPhotos(setting, async (list, bytes) => {
      const contenders = await compare({
        ...setting,
        contenders: chosen(setting, (trawl) => trawlDataset(trawl, list, ['--reencode', 'never']), [
          { ...trawlList(setting.trawls[0], list), name: 'get' },
        ]),
        rounds: setting.rounds ?? 5,
        timeoutMs: 120_000,
        check: (out) => checkImages(out, list.count),
      })
      return { work: { files: list.count, bytes }, contenders, targets: [target(contenders, 'get', 1.3)] }
    })
  },
}

function target(contenders: readonly ContenderRuns[], peer: string, limit: number): Target {
  const [ours] = contenders
  return {
    what: `wall time of ${peer}`,
    value: ratio(ours, named(contenders, peer), 'wallMs'),
    limit,
    sense: 'at most',
  }
}

function trawlDataset(trawl: TrawlPeer, list: UrlList, args: readonly string[]): Contender {
  return {
    name: [trawl.name, ...trawl.args].join(' '),
    version: `trawl on node ${process.version}`,
    command: (folder) => ({
      program: 'node',
      args: [
        trawl.entry,
        'dataset',
        list.path,
        '--no-config',
        '-d',
        folder,
        '--input-format',
        'list',
        '--output-format',
        'webdataset',
        '--shard-size',
        '1000',
        ...args,
        ...trawl.args,
      ],
    }),
  }
}

async function onPhotos(
  setting: BenchSetting,
  work: (list: UrlList, bytes: number) => Promise<BenchReport>,
): Promise<BenchReport> {
  const root = join(setting.folder, 'photos')
  const count = Math.ceil(fullCount * setting.scale)
  const bytes = await writePhotos(root, count)
  const origin = await startNginx({ folder: setting.folder, root })
  try {
    const urls = Array.from({ length: count }, (_, i) => `${origin.url}/${photoName(i)}`)
    return await work(writeUrlList(setting.folder, urls), bytes)
  } finally {
    await origin.close()
  }
}

function photoName(index: number): string {
  return `photo-${String(index).padStart(5, '0')}.jpg`
}

/** Soft shapes with as much noise as gives 130 kB. Returns the bytes of all. */
async function writePhotos(root: string, count: number): Promise<number> {
  mkdirSync(root, { recursive: true })
  let bytes = 0
  const sizes: number[] = []
  for (let i = 0; i < count; i++) {
    const path = join(root, photoName(i))
    if (i < differentCount) {
      const encoded = await photo(i)
      writeFileSync(path, encoded)
      sizes.push(encoded.length)
    } else {
      copyFileSync(join(root, photoName(i % differentCount)), path)
    }
    bytes += sizes[i % differentCount] ?? 0
  }
  return bytes
}

async function photo(number: number): Promise<Buffer> {
  const [width, height] = number % 4 === 3 ? [864, 1152] : [1152, 864]
  const pixels = Buffer.alloc(width * height * 3)
  let state = number + 7
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const base = 128 + 60 * Math.sin(x / (31 + number) + y / 91) + 50 * Math.cos(y / 23 - x / 131)
      for (let c = 0; c < 3; c++, at++) {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
        pixels[at] = Math.min(255, Math.max(0, base + c * 9 + ((state >>> 24) * 18) / 256))
      }
    }
  }
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 85, optimiseCoding: false })
    .toBuffer()
}

/** Files of images, or the successes that the stats of shards tell. */
function checkImages(out: string, count: number): string | undefined {
  let found = 0
  for (const name of readdirSync(out)) {
    if (name.endsWith('.jpg')) found++
    if (/^\d+_stats\.json$/.test(name)) {
      const stats: { readonly successes: number } = JSON.parse(readFileSync(join(out, name), 'utf8'))
      found += stats.successes
    }
  }
  return found === count ? undefined : `${found} images instead of ${count}`
}

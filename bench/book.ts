import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import type { Benchmark, BenchReport, BenchSetting } from './benchmark.ts'
import { compare } from './compare.ts'
import type { Contender, UrlList } from './contender.ts'
import { writeUrlList } from './corpus.ts'
import { startLateOrigin } from './origins/late-origin.ts'
import type { TrawlPeer } from './peers/trawl.ts'
import { findProgram, versionOf } from './program.ts'
import { named, ratio } from './ratios.ts'

const fullCount = 200
const delayMs = 60
const [width, height] = [1200, 1800]

/** A book of 200 JPEG pages from an origin that answers 60 ms late, beside curl and img2pdf one after the other. */
export const book: Benchmark = {
  title: '200 JPEG pages from an origin that answers 60 ms late, to one PDF',
  async run(setting: BenchSetting): Promise<BenchReport> {
    const { folder, scale } = setting
    const count = Math.ceil(fullCount * scale)
    const root = join(folder, 'files')
    const bytes = await writePages(root, count)
    const origin = await startLateOrigin({ root, delayMs })
    try {
      const list = writeUrlList(
        folder,
        readdirSync(root)
          .sort()
          .map((name) => `${origin.url}/${name}`),
      )
      const beside = curlAndImg2pdf(list)
      const contenders = await compare({
        ...setting,
        contenders: [
          ...setting.trawls.map((trawl) => trawlBook(trawl, list, 'structure')),
          ...setting.trawls.map((trawl) => trawlBook(trawl, list, 'decode')),
          ...(beside ? [beside] : []),
        ],
        rounds: setting.rounds ?? 5,
        timeoutMs: 120_000,
        check: (out) => checkPdf(out, bytes),
      })
      const [ours] = contenders
      const value = ratio(ours, named(contenders, 'curl -Z, img2pdf'), 'wallMs')
      return {
        work: { files: count, bytes },
        contenders,
        targets: [{ what: 'wall time of curl and img2pdf', value, limit: 1, sense: 'at most' }],
      }
    } finally {
      await origin.close()
    }
  },
}

/** Noisy pages of about 400 kB, each another one; gives their bytes together. */
async function writePages(root: string, count: number): Promise<number> {
  mkdirSync(root)
  let total = 0
  for (let index = 0; index < count; index++) {
    const pixels = Buffer.alloc(width * height)
    let state = index + 1
    for (let at = 0; at < pixels.length; at++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      pixels[at] = ((at >> 9) & 127) + (state >>> 27)
    }
    const page = await sharp(pixels, { raw: { width, height, channels: 1 } })
      .toColourspace('srgb')
      .jpeg({ quality: 80 })
      .toBuffer()
    writeFileSync(join(root, `${String(index + 1).padStart(5, '0')}.jpg`), page)
    total += page.length
  }
  return total
}

function trawlBook(trawl: TrawlPeer, list: UrlList, check: 'structure' | 'decode'): Contender {
  const args = ['book', list.path, '--image-list', '--no-config', '--check', check, '-f', 'pdf']
  return {
    name: check === 'structure' ? trawl.name : `${trawl.name} --check decode`,
    version: `trawl on node ${process.version}`,
    command: (folder) => ({
      program: 'node',
      args: [trawl.entry, ...args, '-d', folder, '-o', 'book.pdf', ...trawl.args],
    }),
  }
}

/** The pages side by side with curl, then packed with img2pdf. Undefined where one of them is not installed. */
function curlAndImg2pdf(list: UrlList): Contender | undefined {
  const curl = findProgram('curl')
  const img2pdf = findProgram('img2pdf')
  if (curl === undefined || img2pdf === undefined) return undefined
  const script =
    'mkdir "$1/pages" && "$3" --disable --fail --no-progress-meter --parallel --parallel-max 50 ' +
    '--output-dir "$1/pages" --config "$2" && "$4" "$1"/pages/*.jpg -o "$1/book.pdf"'
  return {
    name: 'curl -Z, img2pdf',
    version: `${versionOf(curl)}; ${versionOf(img2pdf)}`,
    command: (folder) => ({
      program: 'sh',
      args: ['-c', script, 'sh', folder, list.curlPath, curl, img2pdf],
    }),
  }
}

/** A PDF that holds the pages is a little larger than they are. */
function checkPdf(folder: string, bytes: number): string | undefined {
  const path = join(folder, 'book.pdf')
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  if (size < bytes || size > bytes * 1.05 + 65_536) return `book.pdf has ${size} bytes, its pages ${bytes}`
  return readFileSync(path).subarray(0, 5).toString('latin1') === '%PDF-' ? undefined : 'book.pdf is no PDF'
}

/**
 * Packing beside img2pdf: `node bench/pack.ts [ROUNDS] [PAGES,PAGES...]`, 3 rounds and 200,5000 pages without. Pages
 * are JPEGs of 1200 x 1800 and about 360 kB, made in memory. Both start as programs of their own, ours bundled from
 * this checkout; img2pdf writes no outline and reads nothing back. Prints a table for each number of pages, and how
 * long the other formats and plain copying took.
 */
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { benchRoot, makeBenchFolder } from './bench-folder.ts'
import { takeBenchLock } from './bench-lock.ts'
import type { Target } from './benchmark.ts'
import { compare, type ContenderRuns } from './compare.ts'
import type { Contender } from './contender.ts'
import { describeMachine, machineWarnings } from './machine.ts'
import { findProgram, versionOf } from './program.ts'
import { medianOf, named, ratio } from './ratios.ts'
import { formatTable, formatTargets } from './report.ts'

const root = join(import.meta.dirname, '..')
const [width, height] = [1200, 1800]
/** So many pages differ; more are copies of them. */
const differentPages = 200
const env = Object.fromEntries(
  Object.entries(process.env).filter((pair): pair is [string, string] => pair[1] !== undefined),
)

/** Soft shapes with noise on them, another one for each page. */
function picture(seed: number): Buffer {
  const pixels = Buffer.alloc(width * height * 3)
  let state = seed + 1
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const base = 128 + 60 * Math.sin((x + seed) / 37 + y / 91) + 50 * Math.cos(y / 23 - x / 131)
      for (let c = 0; c < 3; c++, at++) {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
        pixels[at] = Math.min(255, Math.max(0, base + c * 9 + (state >>> 24) / 8))
      }
    }
  }
  return pixels
}

async function makePages(folder: string, count: number): Promise<void> {
  mkdirSync(folder)
  const nameOf = (index: number) => join(folder, `${String(index + 1).padStart(5, '0')}.jpg`)
  for (let index = 0; index < Math.min(count, differentPages); index++) {
    const image = sharp(picture(index), { raw: { width, height, channels: 3 } })
    writeFileSync(nameOf(index), await image.jpeg({ quality: 80 }).toBuffer())
  }
  for (let index = differentPages; index < count; index++) {
    copyFileSync(nameOf(index % differentPages), nameOf(index))
  }
}

/** Bundles the program that packs a folder; later edits do not change what is measured. */
function buildPacker(folder: string): string {
  const builder = join(root, 'node_modules/.bin/tsdown')
  const args = [join(import.meta.dirname, 'pack/pack-folder.ts'), '-d', join(folder, 'dist')]
  const flags = ['--no-config', '--no-dts', '--platform', 'node', '--format', 'esm', '--logLevel', 'error']
  const built = spawnSync(builder, [...args, ...flags], { cwd: root, encoding: 'utf8', timeout: 180_000 })
  if (built.status !== 0) throw new Error(`the build failed: ${built.stderr || built.stdout}`)
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  return join(folder, 'dist/pack-folder.mjs')
}

function contendersOf(packer: string, pages: string): Contender[] {
  const ours = (format: string): Contender => ({
    name: `trawl ${format}`,
    version: `trawl on node ${process.version}`,
    command: (out) => ({ program: 'node', args: [packer, format, pages, join(out, `book.${format}`)] }),
  })
  const files = readdirSync(pages).map((name) => join(pages, name))
  const copy: Contender = {
    name: 'cp',
    version: versionOf('cp'),
    command: (out) => ({ program: 'cp', args: ['--reflink=never', '-r', pages, out] }),
  }
  const img2pdf = findProgram('img2pdf')
  const theirs: Contender[] =
    img2pdf === undefined
      ? []
      : [
          {
            name: 'img2pdf',
            version: versionOf(img2pdf),
            command: (out) => ({ program: img2pdf, args: ['-o', join(out, 'book.pdf'), ...files] }),
          },
        ]
  return [ours('pdf'), ...theirs, ours('cbz'), ours('zip'), ours('epub'), copy]
}

/** What is wrong with a result: nothing there, or less than the pages have together. */
function checkSize(out: string, bytes: number): string | undefined {
  const sizes = readdirSync(out, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => statSync(join(entry.parentPath, entry.name)).size)
  const total = sizes.reduce((sum, size) => sum + size, 0)
  return total >= bytes ? undefined : `${total} bytes, the pages have ${bytes}`
}

function targetsOf(count: number, runs: readonly ContenderRuns[]): Target[] {
  const [ours] = runs
  const theirs = named(runs, 'img2pdf')
  const more =
    ours && theirs ? (medianOf(ours, 'wallMs') ?? 0) - (medianOf(theirs, 'wallMs') ?? 0) : undefined
  const peak = ours && medianOf(ours, 'peakRssBytes')
  return [
    count <= 1000
      ? { what: 'ms more than img2pdf', value: more, limit: 100, sense: 'at most' }
      : { what: 'wall time of img2pdf', value: ratio(ours, theirs, 'wallMs'), limit: 1, sense: 'at most' },
    {
      what: 'peak MiB',
      value: peak === undefined ? undefined : peak / 2 ** 20,
      limit: 150,
      sense: 'at most',
    },
  ]
}

async function benchPages(folder: string, count: number, rounds: number): Promise<void> {
  const pages = join(folder, 'pages')
  await makePages(pages, count)
  const bytes = readdirSync(pages).reduce((sum, name) => sum + statSync(join(pages, name)).size, 0)
  console.log(`${count} pages, ${(bytes / 2 ** 20).toFixed(0)} MiB`)
  const contenders = await compare({
    contenders: contendersOf(buildPacker(folder), pages),
    rounds,
    folder,
    env,
    timeoutMs: 600_000,
    check: (out) => checkSize(out, bytes),
    say: (line) => console.log(line),
  })
  console.log(formatTable({ work: { files: count, bytes }, contenders, targets: [] }))
  console.log(formatTargets(targetsOf(count, contenders)))
}

const rounds = Number(process.argv[2] ?? 3)
const counts = (process.argv[3] ?? '200,5000').split(',').map(Number)
const release = takeBenchLock()
try {
  for (const warning of machineWarnings(describeMachine(benchRoot().inMemory)))
    console.log(`note: ${warning}`)
  for (const count of counts) {
    const folder = makeBenchFolder()
    try {
      await benchPages(folder, count, rounds)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
} finally {
  release()
}

import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { beforeAll, expect, test } from 'vitest'
import { runMain } from '../cli/run-main.ts'
import { epubcheck } from '../epubcheck.ts'
import { quadrantImage, quadrants } from '../pack/sample-pages.ts'
import { describeWith } from '../programs.ts'
import { tempFolders } from '../storage/temp-folder.ts'
import { pagesOf } from './make-book.ts'

const folder = tempFolders()
const fixture = (name: string): Buffer => readFileSync(new URL(`../pack/fixtures/${name}`, import.meta.url))
const fine = { quality: 95, chromaSubsampling: '4:4:4' } as const
const four = (width = 120, height = 80) => quadrantImage(width, height)

/** How the quadrants look on a page: as they are, or in grey, or in black and white. */
type Look = 'colour' | 'grey' | 'bilevel' | 'one'

/** Pages that are seldom seen, each showing the four quadrants upright. */
async function oddPages(): Promise<readonly (readonly [string, Buffer, Look])[]> {
  const turned = Array.from({ length: 8 }, async (_, i) => {
    const upright = four().withMetadata({ orientation: i + 1 })
    // The pixels are stored as a camera would that was held like this.
    const stored = sharp(await turnedBack(i + 1)).withMetadata({ orientation: i + 1 })
    return [
      `turned-${i + 1}.jpg`,
      await (i === 0 ? upright : stored).jpeg(fine).toBuffer(),
      'colour',
    ] as const
  })
  return [
    ['plain.jpg', await four().jpeg(fine).toBuffer(), 'colour'],
    [
      'progressive.jpg',
      await four()
        .jpeg({ ...fine, progressive: true })
        .toBuffer(),
      'colour',
    ],
    ['cmyk.jpg', await four().toColourspace('cmyk').jpeg({ quality: 95 }).toBuffer(), 'colour'],
    ['grey.jpg', await four().toColourspace('b-w').jpeg(fine).toBuffer(), 'grey'],
    ['wide-gamut.jpg', await four().withIccProfile('p3').jpeg(fine).toBuffer(), 'colour'],
    ...(await Promise.all(turned)),
    ['alpha.png', await four().ensureAlpha(1).png().toBuffer(), 'colour'],
    ['half-alpha.png', await onClear(), 'colour'],
    ['grey.png', await four().toColourspace('b-w').png().toBuffer(), 'grey'],
    ['palette.png', await four().png({ palette: true }).toBuffer(), 'colour'],
    [
      'bilevel.png',
      await four().greyscale().threshold(100).png({ palette: true, colours: 2 }).toBuffer(),
      'bilevel',
    ],
    ['deep.png', await four().toColourspace('rgb16').png().toBuffer(), 'colour'],
    ['interlaced.png', await four().png({ progressive: true }).toBuffer(), 'colour'],
    ['lossless.webp', await four().webp({ lossless: true }).toBuffer(), 'colour'],
    ['lossy.webp', await four().webp({ quality: 95 }).toBuffer(), 'colour'],
    ['modern.avif', await four().avif({ quality: 90, chromaSubsampling: '4:4:4' }).toBuffer(), 'colour'],
    ['still.gif', await four().gif().toBuffer(), 'colour'],
    ['moving.gif', await moving(), 'colour'],
    ['deflated.tif', await four().tiff({ compression: 'deflate' }).toBuffer(), 'colour'],
    [
      'dot.png',
      await sharp({ create: { width: 1, height: 1, channels: 3, background: '#c81e1e' } })
        .png()
        .toBuffer(),
      'one',
    ],
    ['tall.jpg', await four(200, 30_000).jpeg(fine).toBuffer(), 'colour'],
  ]
}

/** Angle and mirroring that bring an upright picture into the stored order of an EXIF orientation. */
async function turnedBack(orientation: number): Promise<Buffer> {
  const angle = [0, 0, 0, 180, 180, 90, 270, 270, 90][orientation] ?? 0
  const png = await four().png().toBuffer()
  const mirrored = [2, 4, 5, 7].includes(orientation)
  const turnedPng = await sharp(png).rotate(angle).png().toBuffer()
  return mirrored ? sharp(turnedPng).flop().png().toBuffer() : turnedPng
}

/** Transparent in the middle. */
function onClear(): Promise<Buffer> {
  const hole = Buffer.from(
    '<svg width="120" height="80"><rect x="55" y="35" width="10" height="10" fill="#fff"/></svg>',
  )
  return four()
    .ensureAlpha(1)
    .composite([{ input: hole, blend: 'dest-out' }])
    .png()
    .toBuffer()
}

async function moving(): Promise<Buffer> {
  const frames = await Promise.all([four().png().toBuffer(), four().negate().png().toBuffer()])
  return sharp(frames, { join: { animated: true } })
    .gif()
    .toBuffer()
}

/** The colours of the middles of the four quadrants. */
async function middles(image: Buffer): Promise<readonly (readonly number[])[]> {
  const upright = await sharp(image, { limitInputPixels: false })
    .autoOrient()
    .flatten({ background: '#fff' })
    .toColourspace('srgb')
    .png()
    .toBuffer()
  const { data, info } = await sharp(upright).removeAlpha().raw().toBuffer({ resolveWithObject: true })
  const { width, height, channels } = info
  return [
    [0.25, 0.25],
    [0.75, 0.25],
    [0.25, 0.75],
    [0.75, 0.75],
  ].map(([x = 0, y = 0]) => {
    const at = (Math.floor(y * height) * width + Math.floor(x * width)) * channels
    return channels < 3 ? [data[at] ?? 0, data[at] ?? 0, data[at] ?? 0] : [...data.subarray(at, at + 3)]
  })
}

function expectedColours(look: Look): readonly (readonly number[])[] {
  if (look === 'one') return [0, 1, 2, 3].map(() => [200, 30, 30])
  if (look === 'colour') return quadrants
  return quadrants.map(([r, g, b]) => {
    const light = lightness(0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b))
    const value = look === 'bilevel' ? (light >= 100 ? 255 : 0) : light
    return [value, value, value]
  })
}

/** Light of an sRGB value, and back (IEC 61966-2-1, near enough). */
const linear = (value: number): number => (value / 255) ** 2.2
const lightness = (light: number): number => 255 * light ** (1 / 2.2)

async function expectQuadrants(image: Buffer, look: Look, name: string): Promise<void> {
  const found = await middles(image)
  const expected = expectedColours(look)
  // CMYK has no such green.
  const tolerance = name.startsWith('cmyk') ? 110 : 24
  for (const [i, colour] of found.entries()) {
    const distance = Math.max(...colour.map((value, c) => Math.abs(value - (expected[i]?.[c] ?? 0))))
    expect(distance, `${name}, quadrant ${i + 1}: ${colour.join(' ')}`).toBeLessThanOrEqual(tolerance)
  }
}

const programs = ['qpdf', 'pdftoppm', 'pdfimages', 'unzip', 'xmllint', 'epubcheck', 'java']

describeWith(programs, 'odd pages, through the command line', () => {
  let dir = ''
  let pages: readonly (readonly [string, Buffer, Look])[] = []

  beforeAll(async () => {
    dir = folder()
    pages = await oddPages()
    mkdirSync(join(dir, 'scans'))
    for (const [i, [name, bytes]] of pages.entries()) {
      writeFileSync(join(dir, 'scans', `${String(i + 1).padStart(2, '0')}-${name}`), bytes)
    }
    const made = await runMain([
      'book',
      join(dir, 'scans'),
      '-d',
      dir,
      '-f',
      'pdf,cbz,epub',
      '--title',
      'Odd',
    ])
    expect(`${made.code} ${made.stderr}`).toMatch(/^0 /)
  }, 60_000)

  function run(program: string, ...args: readonly string[]): string {
    const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', cwd: dir })
    expect(`${program} ${status} ${stderr}`).toBe(`${program} 0 `)
    return stdout
  }

  test('PDF: sound, and every page is shown upright in its colours', { timeout: 60_000 }, async () => {
    run('qpdf', '--check', 'Odd.pdf')
    const shown = process.env['SHOWN'] ?? join(dir, 'shown')
    mkdirSync(shown, { recursive: true })
    run('pdftoppm', '-png', '-scale-to', '600', 'Odd.pdf', join(shown, 'p'))
    const pictures = readdirSync(shown).sort()
    expect(pictures).toHaveLength(pages.length)
    for (const [i, picture] of pictures.entries()) {
      const [name, , look] = pages[i] ?? ['', Buffer.alloc(0), 'colour']
      await expectQuadrants(readFileSync(join(shown, picture)), look, name)
    }
  })

  test('PDF: JPEGs are the very bytes', () => {
    mkdirSync(join(dir, 'out'))
    run('pdfimages', '-all', 'Odd.pdf', 'out/i')
    const jpegs = pages.flatMap(([name, bytes]) => (name.endsWith('.jpg') ? [bytes] : []))
    const found = readdirSync(join(dir, 'out'))
      .filter((name) => name.endsWith('.jpg'))
      .sort()
      .map((name) => readFileSync(join(dir, 'out', name)))
    for (const [i, bytes] of jpegs.entries())
      expect(
        found.some((one) => one.equals(bytes)),
        `JPEG ${i + 1}`,
      ).toBe(true)
  })

  test('CBZ: sound, with the original bytes, and a ComicInfo.xml of the schema', async () => {
    run('unzip', '-tq', 'Odd.cbz')
    const packed = await pagesOf(join(dir, 'Odd.cbz'))
    expect(packed.map((bytes, i) => bytes.equals(pages[i]?.[1] ?? Buffer.alloc(0)))).toEqual(
      pages.map(() => true),
    )
    run('unzip', '-oq', 'Odd.cbz', 'ComicInfo.xml')
    const schema = new URL('../pack/fixtures/comic-info-2.1.xsd', import.meta.url).pathname
    const checked = spawnSync('xmllint', ['--noout', '--schema', schema, join(dir, 'ComicInfo.xml')])
    expect(checked.status).toBe(0)
  })

  test('EPUB: no error and no warning, and every page in its colours', { timeout: 120_000 }, async () => {
    run('unzip', '-tq', 'Odd.epub')
    expect(epubcheck(join(dir, 'Odd.epub'))).toEqual([])
    const packed = await pagesOf(join(dir, 'Odd.epub'))
    expect(packed).toHaveLength(pages.length)
    for (const [i, bytes] of packed.entries()) {
      const [name, , look] = pages[i] ?? ['', Buffer.alloc(0), 'colour']
      await expectQuadrants(bytes, look, name)
    }
  })

  test('JPEG 2000 goes into a PDF untouched, checked by its structure', async () => {
    const scans = join(folder(), 'jp2')
    mkdirSync(scans)
    const names = ['grey.jp2', 'rgb.jp2', 'rgba.jp2']
    for (const name of names) writeFileSync(join(scans, name), fixture(name))
    const out = folder()
    const made = await runMain(['book', scans, '-d', out, '-o', 'two.pdf'])
    expect(`${made.code} ${made.stderr}`).toMatch(/^0 /)
    copyFileSync(join(out, 'two.pdf'), join(dir, 'two.pdf'))
    run('qpdf', '--check', 'two.pdf')
    expect(
      (await pagesOf(join(out, 'two.pdf'))).map((bytes, i) => bytes.equals(fixture(names[i] ?? ''))),
    ).toEqual([true, true, true])
    const [record = ''] = readdirSync(join(out, '.trawl', 'books'))
    const { pages: recorded } = JSON.parse(readFileSync(join(out, '.trawl', 'books', record), 'utf8')) as {
      pages: readonly { checked: string }[]
    }
    expect(recorded.map(({ checked }) => checked)).toEqual(['structure', 'structure', 'structure'])
    const epub = await runMain(['book', scans, '-d', folder(), '-f', 'epub'])
    expect(epub.code).toBe(1)
    expect(epub.stderr).toContain('grey.jp2')
  })
})

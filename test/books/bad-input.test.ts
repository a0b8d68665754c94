import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { runMain } from '../cli/run-main.ts'
import { tempFolders } from '../storage/temp-folder.ts'
import { jpegPage, useBookOrigin } from './book-origin.ts'
import { digests, pagesOf } from './make-book.ts'

const origin = useBookOrigin()
const folder = tempFolders()

/** The header of a PNG whose pixels would take 1.2 GB, as a bomb has it. */
async function bomb(): Promise<Buffer> {
  const png = await sharp({ create: { width: 9, height: 9, channels: 3, background: '#fff' } })
    .png()
    .toBuffer()
  png.writeUInt32BE(20_000, 16)
  png.writeUInt32BE(20_000, 20)
  return png
}

/** A page with something on it: empty pages may be alike. */
function drawing(): Promise<Buffer> {
  const svg = '<svg width="300" height="450"><circle cx="150" cy="200" r="90" fill="#a33"/></svg>'
  return sharp(Buffer.from(svg)).flatten({ background: '#fff' }).jpeg().toBuffer()
}

const html = '<!doctype html><html><head><title>Log in</title></head></html>'
/** Name, code of the error, and what its message has to say. */
const bad = [
  ['cut.jpg', 'ERR_IMAGE_TRUNCATED', 'cut'],
  ['empty.jpg', 'ERR_IMAGE_EMPTY', 'no bytes'],
  ['html.jpg', 'ERR_IMAGE_NOT_IMAGE', 'Log in'],
  ['bomb.png', 'ERR_IMAGE_TOO_LARGE', '20000 x 20000'],
  ['gone.jpg', 'ERR_HTTP_NOT_FOUND', '404'],
  ['words.jpg', 'ERR_IMAGE_NOT_IMAGE', 'text'],
  ['sound.jpg', 'ERR_IMAGE_NOT_IMAGE', 'instead of an image'],
  ['broken.jpg', 'ERR_HTTP_SERVER', '500'],
] as const

/** Serves two good pages, one of them twice, around the bad ones; gives the list and the bytes of the good ones. */
async function serveBad(): Promise<{ readonly list: string; readonly good: readonly Buffer[] }> {
  const [one, two] = [await drawing(), await jpegPage(2)]
  origin.set('/one.jpg', one)
  origin.set('/two.jpg', two)
  origin.set('/same.jpg', one)
  origin.set('/cut.jpg', one.subarray(0, one.length - 100))
  origin.set('/empty.jpg', '')
  origin.set('/html.jpg', html)
  origin.set('/bomb.png', await bomb())
  origin.set('/words.jpg', 'plain words, not a picture')
  origin.set('/sound.jpg', Buffer.from('ID3\u0003\0\0\0\0\0\0\u00ff\u00fb', 'latin1'))
  origin.set('/broken.jpg', (_, response) => response.writeHead(500).end())
  const names = ['one.jpg', ...bad.map(([name]) => name), 'two.jpg', 'same.jpg']
  return { list: names.map((name) => `${origin.url}/${name}\n`).join(''), good: [one, two, one] }
}

test.each(['strict', 'placeholder', 'skip'])(
  'every bad page is named, under --partial %s',
  async (partial) => {
    const { list, good } = await serveBad()
    const dir = folder()
    const report = join(folder(), 'report.jsonl')
    const what = ['book', list, '--source', 'image-list', '--title', 'Bad', '-d', dir, '-f', 'cbz']
    const how = ['--partial', partial, '--retries', '1', '--retry-delay', '10ms', '--report', report]
    const made = await runMain([...what, ...how])
    expect(made.code).toBe(1)
    for (const [i, [name, , says]] of bad.entries()) {
      const line = made.stderr.split('\n').find((text) => text.includes(`/${name}: page ${i + 2}: `))
      expect(line, name).toContain(says)
    }
    const lines = readFileSync(report, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(lines).toHaveLength(bad.length + 3)
    expect(lines.map((line) => line['page'])).toEqual(lines.map((_, i) => i + 1))
    for (const [i, [name, code]] of bad.entries()) {
      expect(lines[i + 1]).toMatchObject({
        input: `${origin.url}/${name}`,
        status: 'failed',
        code,
        book: 'Bad',
      })
      expect(lines[i + 1]?.['attempts']).toBeGreaterThan(0)
    }
    const files = readdirSync(dir).filter((name) => name !== '.trawl')
    if (partial === 'strict') {
      expect(files).toEqual([])
      return
    }
    expect(made.stderr).toContain('pages 1, 11 are one image')
    expect(files).toEqual(['Bad [incomplete].cbz'])
    const packed = await pagesOf(join(dir, 'Bad [incomplete].cbz'))
    if (partial === 'skip') expect(digests(packed)).toEqual(digests(good))
    else {
      expect(packed).toHaveLength(11)
      const [first, , , , , , , , , tenth, last] = digests(packed)
      expect([first, tenth, last]).toEqual(digests(good))
    }
  },
)

test('a line of a list that is no URL is a missing page, named with its text, line and reason', async () => {
  origin.set('/one.jpg', await jpegPage(1))
  const list = join(folder(), 'pages.txt')
  writeFileSync(list, `${origin.url}/one.jpg\nnonsense\nftp://example.org/3.jpg\n`)
  const report = join(folder(), 'report.jsonl')
  const made = await runMain(['book', list, '-d', folder(), '--report', report])
  expect(made.code).toBe(1)
  expect(made.stderr).toContain('failed: nonsense: page 2: ')
  expect(made.stderr).toContain(`${list}:2:1: "nonsense" is not a URL`)
  const lines = readFileSync(report, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(lines.slice(1)).toMatchObject([
    { input: 'nonsense', status: 'failed', code: 'ERR_URL_INVALID', page: 2 },
    { input: 'ftp://example.org/3.jpg', status: 'failed', code: 'ERR_URL_SCHEME', page: 3 },
  ])
  const plan = await runMain(['book', list, '-d', folder(), '--dry-run', '-v'])
  expect(plan.stderr).toContain(`${list}:2:1: "nonsense" is not a URL`)
  expect(plan.stdout.toString()).toContain('2: nonsense')
})

test('a list of pages may come from standard input', async () => {
  const page = await jpegPage(1)
  origin.set('/atlas/one.jpg', page)
  const dir = folder()
  const made = await runMain(['book', '-', '-d', dir, '-f', 'cbz'], {
    stdin: `${origin.url}/atlas/one.jpg\n`,
  })
  expect(made).toMatchObject({ code: 0 })
  expect(digests(await pagesOf(join(dir, 'atlas.cbz')))).toEqual(digests([page]))
  expect((await runMain(['book', '-', '-d', dir], { stdin: '' })).code).toBe(1)
})

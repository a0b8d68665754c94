import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { downloadBook, verifyPaths } from '../../src/session/index.ts'
import { describeWith } from '../programs.ts'
import { tempFolders } from '../storage/temp-folder.ts'
import { jpegPage, setPages, useBookOrigin } from './book-origin.ts'
import { digest, digests, makeBook, pagesOf } from './make-book.ts'

const origin = useBookOrigin()
const folder = tempFolders()
const quick = { retries: 1, retryDelayMs: 10, maxPerHost: 4 } as const
const book = makeBook
const pageRequests = (): readonly string[] => origin.requests.filter((path) => path.endsWith('.jpg'))
const finals = (dir: string): readonly string[] =>
  existsSync(dir) ? readdirSync(dir).filter((name) => name !== '.trawl') : []

test('a list becomes a PDF, CBZ and folder with the very bytes, in order; again is a no-op', async () => {
  const { pages, list } = await setPages(origin, 9)
  const dir = folder()
  const first = await book(list, { dir, formats: ['pdf', 'cbz', 'folder'], title: 'Nine' })
  expect(first).toMatchObject({ status: 'done', stats: { ok: 9, failed: 0, planned: 9 } })
  expect(finals(dir).toSorted()).toEqual(['Nine', 'Nine.cbz', 'Nine.pdf'])
  for (const name of finals(dir)) expect(digests(await pagesOf(join(dir, name)))).toEqual(digests(pages))
  expect(existsSync(join(dir, '.trawl', 'staging'))).toBe(false)
  const before = origin.requests.length
  const modified = statSync(join(dir, 'Nine.pdf')).mtimeMs
  const again = await book(list, { dir, formats: ['pdf', 'cbz', 'folder'], title: 'Nine' })
  expect(again).toMatchObject({ status: 'done', stats: { ok: 0, skipped: 9 } })
  expect(again.books[0]?.status).toBe('unchanged')
  expect(origin.requests.length).toBe(before)
  expect(statSync(join(dir, 'Nine.pdf')).mtimeMs).toBe(modified)
})

test.each(['strict', 'placeholder', 'skip'] as const)('missing pages under --partial %s', async (partial) => {
  const { list } = await setPages(origin, 6)
  origin.set('/p2.jpg', (_, response) => response.writeHead(404).end())
  origin.set('/p5.jpg', '<!doctype html><title>log in</title>')
  const dir = folder()
  const report = join(dir, 'report.jsonl')
  const made = await book(list, { dir, partial, title: 'Holes', report, formats: ['cbz'] })
  expect(made).toMatchObject({ status: 'partial', stats: { ok: 4, failed: 2, planned: 6 } })
  expect(made.books[0]).toMatchObject({ status: 'incomplete', error: { code: 'ERR_BOOK_INCOMPLETE' } })
  expect(made.books[0]?.missing.map(({ number, url, error }) => [number, url, error.code])).toEqual([
    [2, `${origin.url}/p2.jpg`, 'ERR_HTTP_NOT_FOUND'],
    [5, `${origin.url}/p5.jpg`, 'ERR_IMAGE_NOT_IMAGE'],
  ])
  const lines = readFileSync(report, 'utf8').trim().split('\n')
  const failed = lines
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((line) => line['code'])
  expect(failed).toMatchObject([
    { page: 2, input: `${origin.url}/p2.jpg`, code: 'ERR_HTTP_NOT_FOUND', book: 'Holes' },
    { page: 5, input: `${origin.url}/p5.jpg`, code: 'ERR_IMAGE_NOT_IMAGE', book: 'Holes' },
  ])
  const files = finals(dir).filter((name) => name !== 'report.jsonl')
  if (partial === 'strict') expect(files).toEqual([])
  else {
    expect(files).toEqual(['Holes [incomplete].cbz'])
    expect(await pagesOf(join(dir, 'Holes [incomplete].cbz'))).toHaveLength(partial === 'skip' ? 4 : 6)
  }
  // Once the pages are there, only they are fetched, and the incomplete book goes.
  origin.set('/p2.jpg', await jpegPage(2))
  origin.set('/p5.jpg', await jpegPage(5))
  origin.requests.length = 0
  const healed = await book(list, { dir, partial, title: 'Holes', formats: ['cbz'] })
  expect(healed.books[0]?.status).toBe('done')
  expect([...pageRequests()].sort()).toEqual(['/p2.jpg', '/p5.jpg'])
  expect(finals(dir).filter((name) => name !== 'report.jsonl')).toEqual(['Holes.cbz'])
})

test('the report has the time of each page, also of one that is missing', async () => {
  const { list } = await setPages(origin, 2)
  const page = await jpegPage(1)
  origin.set('/p1.jpg', (_, response) => void setTimeout(() => response.end(page), 30))
  origin.set('/p2.jpg', (_, response) => void setTimeout(() => response.writeHead(404).end(), 30))
  const report = join(folder(), 'report.jsonl')
  await book(list, { dir: folder(), title: 'Late', report, formats: ['cbz'] })
  const lines = readFileSync(report, 'utf8').trim().split('\n')
  const times = lines.map((line) => (JSON.parse(line) as { readonly ms: number }).ms)
  expect(times.map((ms) => ms > 0)).toEqual([true, true])
})

test('a page that was truncated once is fetched again', async () => {
  const { pages, list } = await setPages(origin, 3)
  const whole = pages[1] ?? Buffer.alloc(0)
  let asked = 0
  origin.set('/p2.jpg', (_, response) => {
    const body = asked++ === 0 ? whole.subarray(0, whole.length - 20) : whole
    response.writeHead(200, { 'content-type': 'image/jpeg', 'content-length': body.length }).end(body)
  })
  const dir = folder()
  const made = await book(list, { dir, title: 'Cut', formats: ['zip'] })
  expect(made.status).toBe('done')
  expect(asked).toBe(2)
  expect(digests(await pagesOf(join(dir, 'Cut.zip')))).toEqual(digests(pages))
})

test('cancelled at any moment: no final file; the next run fetches only what is missing', async () => {
  for (const after of [0, 1, 4, 7]) {
    const { pages, list } = await setPages(origin, 8)
    const dir = folder()
    const abort = new AbortController()
    let served = 0
    for (const [i, page] of pages.entries()) {
      origin.set(`/p${i + 1}.jpg`, (_, response) => {
        if (served++ === after) abort.abort()
        response.writeHead(200, { 'content-length': page.length }).end(page)
      })
    }
    const made = await book(list, { dir, title: 'Stop', signal: abort.signal, maxPerHost: 1 })
    expect(made.status).toBe('cancelled')
    expect(finals(dir)).toEqual([])
    for (const [i, page] of pages.entries()) origin.set(`/p${i + 1}.jpg`, page)
    const staged = stagedPages(dir)
    origin.requests.length = 0
    const done = await book(list, { dir, title: 'Stop' })
    expect(done.status).toBe('done')
    expect(pageRequests()).toHaveLength(8 - staged)
    expect(digests(await pagesOf(join(dir, 'Stop.pdf')))).toEqual(digests(pages))
  }
})

function stagedPages(dir: string): number {
  const staging = join(dir, '.trawl', 'staging')
  if (!existsSync(staging)) return 0
  return readdirSync(staging).reduce((sum, id) => {
    const pages = join(staging, id, 'pages')
    return sum + (existsSync(pages) ? readdirSync(pages).length : 0)
  }, 0)
}

test('verify finds a changed byte, and the next run fetches only that page', async () => {
  const { pages, list } = await setPages(origin, 5)
  const dir = folder()
  await book(list, { dir, title: 'Whole', formats: ['pdf'] })
  const path = join(dir, 'Whole.pdf')
  const bytes = readFileSync(path)
  const at = bytes.indexOf(pages[2] ?? '') + 300
  expect(at).toBeGreaterThan(300)
  bytes[at] = (bytes[at] ?? 0) ^ 0xff
  writeFileSync(path, bytes)
  const found = await Array.fromAsync(verifyPaths([dir]))
  expect(found).toHaveLength(1)
  expect(found[0]?.faults).toMatchObject([{ code: 'ERR_VERIFY_FAILED' }])
  expect(found[0]?.faults[0]?.message).toContain('page 3')
  origin.requests.length = 0
  await book(list, { dir, title: 'Whole', formats: ['pdf'] })
  expect(pageRequests()).toEqual(['/p3.jpg'])
  expect(finals(dir)).toEqual(['Whole.pdf'])
  expect(digests(await pagesOf(path))).toEqual(digests(pages))
})

test('verify tells of a record that cannot be read', async () => {
  const { list } = await setPages(origin, 2)
  const dir = folder()
  await book(list, { dir, title: 'Whole' })
  const records = join(dir, '.trawl', 'books')
  const [name = ''] = readdirSync(records)
  writeFileSync(join(records, name), '{"format": "trawl-bo')
  const [found, ...others] = await Array.fromAsync(verifyPaths([dir]))
  expect(others).toEqual([])
  expect(found).toMatchObject({
    path: join(records, name),
    faults: [{ code: 'ERR_VERIFY_FAILED', message: expect.stringContaining('cannot be read') }],
  })
})

test('new pages of a source: those of before are taken out of the container', async () => {
  const { list } = await setPages(origin, 4)
  const dir = folder()
  const input = { ...list, text: list.text.split('\n').slice(0, 3).join('\n') + '\n' }
  await book(input, { dir, title: 'More' })
  origin.requests.length = 0
  const made = await book(list, { dir, title: 'More' })
  expect(made).toMatchObject({ status: 'done', stats: { ok: 1, skipped: 3 } })
  expect(pageRequests()).toEqual(['/p4.jpg'])
  expect(finals(dir)).toEqual(['More.pdf'])
})

test('a file of somebody else is never replaced', async () => {
  const { list } = await setPages(origin, 2)
  const dir = folder()
  writeFileSync(join(dir, 'Mine.pdf'), 'not yours')
  await book(list, { dir, title: 'Mine' })
  expect(readFileSync(join(dir, 'Mine.pdf'), 'utf8')).toBe('not yours')
  expect(finals(dir).toSorted()).toEqual(['Mine (1).pdf', 'Mine.pdf'])
})

test('a gallery page and an open folder of nginx', async () => {
  const { pages } = await setPages(origin, 4)
  const images = pages.map((_, i) => `<img data-src="/p${i + 1}.jpg" width="120" height="180">`).join('\n')
  origin.set('/gallery.html', `<html><head><title>A gallery</title></head><body>${images}</body></html>`)
  const rows = pages.map((_, i) => `<a href="p${i + 1}.jpg">p${i + 1}.jpg</a>  01-Jan-2024 10:00  1234`)
  origin.set(
    '/open/',
    `<html><head><title>Index of /open/</title></head><body><h1>Index of /open/</h1><hr><pre><a href="../">../</a>\n${rows.join('\n')}\n</pre><hr></body></html>`,
  )
  for (const [i, page] of pages.entries()) origin.set(`/open/p${i + 1}.jpg`, page)
  const dir = folder()
  for (const path of ['/gallery.html', '/open/']) {
    const made = await book(`${origin.url}${path}`, { dir, formats: ['cbz'] })
    expect(made).toMatchObject({ status: 'done', stats: { ok: 4 } })
    expect(digests(await pagesOf(made.books[0]?.files[0] ?? ''))).toEqual(digests(pages))
  }
})

test('selection, filter, chapters as files, archive', async () => {
  const { list, pages } = await setPages(origin, 6)
  const dir = folder()
  const archive = join(dir, 'done.txt')
  const made = await book(list, {
    dir,
    pages: '2-5',
    filter: 'page.number != 3',
    title: 'Some',
    formats: ['zip'],
    archive,
  })
  expect(made.status).toBe('done')
  const kept = [pages[1], pages[2], pages[4]].map((page) => digest(page ?? Buffer.alloc(0)))
  expect(digests(await pagesOf(join(dir, 'Some.zip')))).toEqual(kept)
  expect(readFileSync(archive, 'utf8').trim().split('\n')).toHaveLength(1)
  const elsewhere = folder()
  await book(list, {
    dir: elsewhere,
    pages: '2-5',
    filter: 'page.number != 3',
    title: 'Some',
    formats: ['zip'],
    archive,
  })
  expect(finals(elsewhere)).toEqual([])
})

test('downloadBook is a one-liner, and says which page is missing', async () => {
  const { pages } = await setPages(origin, 3)
  const urls = pages.map((_, i) => `${origin.url}/p${i + 1}.jpg`)
  const dir = folder()
  let last = [0, 0]
  const path = await downloadBook(urls, { name: 'One', dir, onProgress: (...counts) => (last = counts) })
  expect(path).toBe(join(dir, 'One.pdf'))
  expect(last).toEqual([3, 3])
  await expect(
    downloadBook([...urls, `${origin.url}/none.jpg`], { name: 'Two', dir, ...quick }),
  ).rejects.toMatchObject({
    code: 'ERR_BOOK_INCOMPLETE',
    message: expect.stringContaining('/none.jpg') as string,
  })
  const abort = new AbortController()
  abort.abort()
  await expect(downloadBook(urls, { name: 'Three', dir, signal: abort.signal })).rejects.toMatchObject({
    code: 'ERR_CANCELLED',
  })
})

describeWith(['qpdf', 'unzip', 'pdfimages'], 'other programs agree', () => {
  test('qpdf and unzip find no fault, pdfimages gives the original bytes', async () => {
    const { pages, list } = await setPages(origin, 5)
    const dir = folder()
    await book(list, { dir, title: 'Checked', formats: ['pdf', 'cbz', 'epub'] })
    const run = (program: string, ...args: readonly string[]): number | null =>
      spawnSync(program, args, { cwd: dir, stdio: 'ignore' }).status
    expect(run('qpdf', '--check', 'Checked.pdf')).toBe(0)
    expect(run('unzip', '-t', 'Checked.cbz')).toBe(0)
    expect(run('unzip', '-t', 'Checked.epub')).toBe(0)
    expect(run('pdfimages', '-j', 'Checked.pdf', 'x')).toBe(0)
    const images = readdirSync(dir).filter((name) => name.startsWith('x-'))
    expect(digests(images.sort().map((name) => readFileSync(join(dir, name))))).toEqual(digests(pages))
  })
})

test('--on-exists skip and error look at the names before anything is fetched', async () => {
  const { list, pages } = await setPages(origin, 2)
  const dir = folder()
  writeFileSync(join(dir, 'Mine.pdf'), 'not yours')
  const skipped = await book(list, { dir, title: 'Mine', onExists: 'skip' })
  expect(skipped).toMatchObject({ status: 'done', stats: { planned: 0 }, books: [{ status: 'skipped' }] })
  const refused = await book(list, { dir, title: 'Mine', onExists: 'error' })
  expect(refused).toMatchObject({ books: [{ status: 'failed', error: { code: 'ERR_EXISTS' } }] })
  expect(pageRequests()).toEqual([])
  // Of several formats, those whose places are free are made.
  await book(list, { dir, title: 'Mine', onExists: 'skip', formats: ['pdf', 'cbz'] })
  expect(finals(dir).toSorted()).toEqual(['Mine.cbz', 'Mine.pdf'])
  expect(digests(await pagesOf(join(dir, 'Mine.cbz')))).toEqual(digests(pages))
  expect(readFileSync(join(dir, 'Mine.pdf'), 'utf8')).toBe('not yours')
})

test('a name that leads out of the folder through a link is refused before anything is fetched', async () => {
  const { list } = await setPages(origin, 1)
  const [dir, elsewhere] = [folder(), folder()]
  symlinkSync(elsewhere, join(dir, 'series'))
  const made = await book(list, { dir, title: 'A', name: 'series/{title}' })
  expect(made.books).toMatchObject([{ status: 'failed', error: { code: 'ERR_PATH_UNSAFE' } }])
  const late = await book(list, { dir, title: 'A', name: 'series/{title} {pages}' })
  expect(late.books).toMatchObject([{ status: 'failed', error: { code: 'ERR_PATH_UNSAFE' } }])
  expect(readdirSync(elsewhere)).toEqual([])
})

test('a sidecar takes the place of a sidecar, and of nothing else', async () => {
  const { list } = await setPages(origin, 1)
  const dir = folder()
  writeFileSync(join(dir, 'Mine.json'), '{"title": "not yours"}')
  const options = { dir, title: 'Mine', sidecar: true, formats: ['cbz'] } as const
  await book(list, options)
  await book(list, { ...options, onExists: 'overwrite' })
  expect(readFileSync(join(dir, 'Mine.json'), 'utf8')).toBe('{"title": "not yours"}')
  expect(finals(dir).toSorted()).toEqual(['Mine (1).json', 'Mine.cbz', 'Mine.json'])
  expect(JSON.parse(readFileSync(join(dir, 'Mine (1).json'), 'utf8'))).toMatchObject({
    title: 'Mine',
    pages: 1,
  })
})

test('an output folder that is a file ends the job before anything is fetched', async () => {
  const { list } = await setPages(origin, 2)
  const dir = join(folder(), 'file')
  writeFileSync(dir, '')
  const made = await book(list, { dir })
  expect(made).toMatchObject({ status: 'failed', error: { code: 'ERR_NOT_DIRECTORY' } })
  expect(pageRequests()).toEqual([])
})

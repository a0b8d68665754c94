import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runMain } from '../cli/run-main.ts'
import { tempFolders } from '../storage/temp-folder.ts'
import { jpegPage, setPages, useBookOrigin } from './book-origin.ts'
import { digests, makeBook, pagesOf } from './make-book.ts'

const origin = useBookOrigin()
const folder = tempFolders()
const pageRequests = (): readonly string[] => origin.requests.filter((path) => path.endsWith('.jpg'))

/** Changes a byte of a page where it lies in a container. */
async function harm(path: string, page: number): Promise<void> {
  const bytes = readFileSync(path)
  const at = bytes.indexOf(await jpegPage(page)) + 300
  expect(at).toBeGreaterThan(300)
  bytes[at] = (bytes[at] ?? 0) ^ 0xff
  writeFileSync(path, bytes)
}

test('a page that is broken in one container is taken from the other, without a request', async () => {
  const { pages, list } = await setPages(origin, 4)
  const dir = folder()
  await makeBook(list, { dir, title: 'Two', formats: ['pdf', 'cbz'] })
  await harm(join(dir, 'Two.cbz'), 3)
  const found = await runMain(['verify', dir])
  expect(found.code).toBe(4)
  expect(found.stderr).toContain('page 3')
  origin.requests.length = 0
  const made = await makeBook(list, { dir, title: 'Two', formats: ['pdf', 'cbz'] })
  expect(made).toMatchObject({ status: 'done', stats: { ok: 0, skipped: 4 } })
  expect(pageRequests()).toEqual([])
  for (const name of ['Two.pdf', 'Two.cbz'])
    expect(digests(await pagesOf(join(dir, name)))).toEqual(digests(pages))
  expect((await runMain(['verify', dir])).code).toBe(0)
})

test('broken everywhere, that page alone is fetched', async () => {
  const { pages, list } = await setPages(origin, 4)
  const dir = folder()
  await makeBook(list, { dir, title: 'Two', formats: ['pdf', 'cbz'] })
  for (const name of ['Two.pdf', 'Two.cbz']) await harm(join(dir, name), 2)
  expect((await runMain(['verify', dir])).code).toBe(4)
  origin.requests.length = 0
  await makeBook(list, { dir, title: 'Two', formats: ['pdf', 'cbz'] })
  expect(pageRequests()).toEqual(['/p2.jpg'])
  expect(digests(await pagesOf(join(dir, 'Two.pdf')))).toEqual(digests(pages))
})

test('a container that was removed, or a further format, is made of those that are there', async () => {
  const { pages, list } = await setPages(origin, 3)
  const dir = folder()
  await makeBook(list, { dir, title: 'Gone', formats: ['pdf', 'cbz'] })
  rmSync(join(dir, 'Gone.pdf'))
  origin.requests.length = 0
  await makeBook(list, { dir, title: 'Gone', formats: ['pdf', 'cbz'] })
  expect(digests(await pagesOf(join(dir, 'Gone.pdf')))).toEqual(digests(pages))
  await makeBook(list, { dir, title: 'Gone', formats: ['pdf', 'cbz', 'zip'] })
  expect(digests(await pagesOf(join(dir, 'Gone.zip')))).toEqual(digests(pages))
  expect(pageRequests()).toEqual([])
})

test('a page that the source replaced is fetched, the others are kept', async () => {
  const { list } = await setPages(origin, 3)
  const dir = folder()
  await makeBook(list, { dir, title: 'New', formats: ['cbz'] })
  origin.set('/p2-v2.jpg', await jpegPage(7))
  origin.requests.length = 0
  const text = list.text.replace('/p2.jpg', '/p2-v2.jpg')
  await makeBook({ ...list, text }, { dir, title: 'New', formats: ['cbz'] })
  expect(pageRequests()).toEqual(['/p2-v2.jpg'])
  const expected = await Promise.all([1, 7, 3].map((n) => jpegPage(n)))
  expect(digests(await pagesOf(join(dir, 'New.cbz')))).toEqual(digests(expected))
  expect(readdirSync(dir).filter((name) => name !== '.trawl')).toEqual(['New.cbz'])
})

test('an archive has whole works alone', async () => {
  const { list } = await setPages(origin, 3)
  origin.set('/p2.jpg', (_, response) => response.writeHead(404).end())
  const dir = folder()
  const archive = join(dir, 'done.txt')
  await makeBook(list, { dir, title: 'Half', partial: 'placeholder', archive })
  expect(existsSync(archive)).toBe(false)
  origin.set('/p2.jpg', await jpegPage(2))
  await makeBook(list, { dir, title: 'Half', partial: 'placeholder', archive })
  expect(readFileSync(archive, 'utf8').trim().split('\n')).toHaveLength(1)
})

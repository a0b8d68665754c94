import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runMain } from '../cli/run-main.ts'
import { startNginx } from '../nginx.ts'
import { describeWith } from '../programs.ts'
import { tempFolders } from '../storage/temp-folder.ts'
import { jpegPage } from './book-origin.ts'
import { digests, pagesOf } from './make-book.ts'

const folder = tempFolders()

describeWith(['nginx'], 'an open folder of nginx', () => {
  test('is a book in natural order, its folders books of their own', async () => {
    await using nginx = await startNginx(['autoindex on;'])
    const scans = join(nginx.www, 'scans')
    mkdirSync(join(scans, 'plates #1'), { recursive: true })
    for (const n of [1, 2, 10, 11]) writeFileSync(join(scans, `page ${n}.jpg`), await jpegPage(n))
    writeFileSync(join(scans, 'read me.txt'), 'not a page')
    writeFileSync(join(scans, 'plates #1', 'a.jpg'), await jpegPage(20))
    const dir = folder()
    const made = await runMain(['book', `${nginx.urls[0]}/scans/`, '-d', dir, '-f', 'cbz'])
    expect(`${made.code} ${made.stderr}`).toMatch(/^0 /)
    expect(readdirSync(dir).filter((name) => name !== '.trawl')).toEqual(['plates #1.cbz', 'scans.cbz'])
    const expected = await Promise.all([1, 2, 10, 11].map((n) => jpegPage(n)))
    expect(digests(await pagesOf(join(dir, 'scans.cbz')))).toEqual(digests(expected))
    expect(digests(await pagesOf(join(dir, 'plates #1.cbz')))).toEqual(digests([await jpegPage(20)]))
  })
})

import { expect, test } from 'vitest'
import type { PageRecord } from '../../src/books/book-record.ts'
import { checkSet, type SetFindings } from '../../src/books/check-set.ts'

const page = (number: number, more: Partial<PageRecord> = {}): PageRecord => ({
  key: `k${number}`,
  url: `https://example.org/scan-${String(number).padStart(3, '0')}.jpg`,
  sha256: String(number).padStart(64, '0'),
  sizeBytes: 200_000 + number,
  widthPx: 1200,
  heightPx: 1800,
  checked: 'decode',
  parts: 1,
  ...more,
})
const pages = (count: number): PageRecord[] => Array.from({ length: count }, (_, i) => page(i + 1))

function check(
  list: readonly PageRecord[],
  options: { readonly announced?: number; readonly whole?: boolean; readonly blank?: string } = {},
): Promise<SetFindings> {
  const { whole = true, blank, ...rest } = options
  return checkSet(list, { whole, isBlank: (sha256) => Promise.resolve(sha256 === blank), ...rest })
}

test('nothing is odd about pages that are all different and as many as announced', async () => {
  expect(await check(pages(20), { announced: 20 })).toEqual({ notes: [], suspect: false })
  expect(await check([])).toEqual({ notes: [], suspect: false })
})

test('fewer pages than announced', async () => {
  const { notes } = await check(pages(18), { announced: 20 })
  expect(notes).toEqual(['the source announced 20 pages and listed 18'])
  expect((await check(pages(18), { announced: 20, whole: false })).notes).toEqual([])
})

test('one image twice is told of, three times it is likely to be no page; blank pages may be alike', async () => {
  const same = 'ab'.repeat(32)
  const twice = pages(9).map((one, i) => (i === 2 || i === 6 ? { ...one, sha256: same } : one))
  expect(await check(twice)).toEqual({ notes: ['pages 3, 7 are one image'], suspect: false })
  const thrice = twice.map((one, i) => (i === 8 ? { ...one, sha256: same } : one))
  expect(await check(thrice)).toEqual({
    notes: [`pages 3, 7, 9 are one image; if it is no page, give --refuse-image ${same}`],
    suspect: true,
  })
  expect(await check(thrice, { blank: same })).toEqual({ notes: [], suspect: false })
})

test('a number that the addresses leave out', async () => {
  const list = pages(30).filter((_, i) => i !== 16)
  expect((await check(list)).notes).toEqual(['the addresses are numbered, and 17 is left out'])
  expect((await check(list, { whole: false })).notes).toEqual([])
  const every = pages(30).filter((_, i) => i % 2 === 0)
  expect((await check(every)).notes).toEqual([])
  const fromSeven = pages(30).slice(6)
  expect((await check(fromSeven)).notes).toEqual([])
})

test('a page far smaller than the others, and one in another size than its source says', async () => {
  const small = pages(8).map((one, i) =>
    i === 4 ? { ...one, sizeBytes: 3000, widthPx: 200, heightPx: 200 } : one,
  )
  expect((await check(small)).notes).toEqual(['page 5 is far smaller than the others: 200 x 200, 3000 bytes'])
  const note = 'the image has 600 x 900 pixels, its source says 1200 x 1800'
  const reduced = pages(8).map((one, i) => (i > 4 ? { ...one, suspicious: [note] } : one))
  expect((await check(reduced)).notes).toEqual([`pages 6, 7, 8, of the first: ${note}`])
})

test('missing pages have no part in it', async () => {
  const list = pages(10).map((one, i) => {
    if (i !== 3) return one
    return { key: 'm', url: one.url, parts: 0, missing: { code: 'ERR_HTTP_NOT_FOUND' as const, message: '' } }
  })
  expect((await check(list)).notes).toEqual([])
})

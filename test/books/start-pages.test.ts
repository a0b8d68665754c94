import { expect, test } from 'vitest'
import type { MadePage } from '../../src/books/page-maker.ts'
import type { PlannedPage } from '../../src/books/planned-work.ts'
import { startPages } from '../../src/books/start-pages.ts'

async function* endless(asked: (count: number) => void): AsyncGenerator<PlannedPage> {
  for (let n = 1; n < 1_000_000; n++) {
    asked(n)
    yield await Promise.resolve({ page: { localPath: `/p/${n}` }, chapters: [] })
  }
}

test('a page that takes for ever holds back only what is thousands of pages behind it', async () => {
  let asked = 0
  const abort = new AbortController()
  const first = Promise.withResolvers<MadePage>()
  const pages = startPages(
    endless((count) => (asked = count)),
    {
      window: 8,
      make: (_, __, index) => (index === 0 ? first.promise : Promise.resolve({} as MadePage)),
      signal: abort.signal,
    },
  )
  const { value } = await pages.next()
  expect(value?.[0]?.index).toBe(0)
  // The source is read until nothing more happens.
  for (let before = -1; before !== asked;) {
    before = asked
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  expect(asked).toBe(4097)
  for (const state of value ?? []) state.finished()
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(asked).toBeGreaterThan(4097)
  abort.abort()
  first.resolve({} as MadePage)
  await pages.return()
})

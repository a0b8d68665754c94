import { describe, expect, it } from 'vitest'
import { isTrawlError, type Locator, type Page } from '../../src/core/index.ts'
import type { Source, SourceContext, SourceInput, SourceItem } from '../../src/sources/index.ts'
import { recordedContext, type RecordedAnswer } from '../sources/recorded-context.ts'

export interface SourceContractCase {
  readonly source: Source
  readonly input: SourceInput
  /** What the network answers. Nothing else may be needed, and nothing else may be asked. */
  readonly documents: Readonly<Record<string, RecordedAnswer>>
  /** The first address of each page in order, or its path; undefined for a page without an image. */
  readonly expectedPages: readonly (string | undefined)[]
  /** Requests that may be made before the first page is there; default all. */
  readonly requestsBeforeFirstPage?: number
  /** False where asking the network is not the source's way at all. */
  readonly fetches?: boolean
}

/**
 * What every source promises, checked on one recorded input: the expected pages in order, items in a sound order,
 * laziness, the same result twice, every request through the context, a stop when told to, and errors of our class.
 */
export function describeSourceContract(name: string, given: SourceContractCase): void {
  const { source, input, documents, expectedPages } = given
  const fetches = given.fetches ?? true

  describe(`${name} keeps the source contract`, () => {
    it('matches its own input, without a request', () => {
      const match = source.match(input)
      expect(match?.confidence).toBeGreaterThan(0)
      expect(match?.confidence).toBeLessThanOrEqual(1)
    })

    it('does not match nonsense', () => {
      for (const text of ['', '   ', 'no such thing', 'ftp://example.org/x']) {
        expect(source.match({ text }), text).toBeUndefined()
      }
    })

    it('yields the expected pages', async () => {
      const items = await collect(source.extract(input, recordedContext(documents)))
      expect(pagesOf(items).map(addressOf)).toEqual(expectedPages)
    })

    it('yields items in a sound order', async () => {
      checkOrder(await collect(source.extract(input, recordedContext(documents))))
    })

    it('yields the same twice', async () => {
      const first = await collect(source.extract(input, recordedContext(documents)))
      const second = await collect(source.extract(input, recordedContext(documents)))
      expect(second).toEqual(first)
      expect(JSON.parse(JSON.stringify(first))).toEqual(first)
    })

    it('asks for nothing before it is read, and for no more than it needs to begin', async () => {
      const context = recordedContext(documents)
      const items = source.extract(input, context)[Symbol.asyncIterator]()
      await new Promise((resolve) => setImmediate(resolve))
      expect(context.requests).toEqual([])
      for (;;) {
        const next = await items.next()
        if (next.done === true || next.value.type === 'page') break
      }
      expect(context.requests.length).toBeLessThanOrEqual(given.requestsBeforeFirstPage ?? Infinity)
      if (fetches) expect(context.requests.length).toBeGreaterThan(0)
      await items.return?.()
      const before = context.requests.length
      await new Promise((resolve) => setImmediate(resolve))
      expect(context.requests.length).toBe(before)
    })

    it('makes every request through the context', async () => {
      const realFetch = globalThis.fetch
      const outside: unknown[] = []
      globalThis.fetch = (...call) => {
        outside.push(call[0])
        return Promise.reject(new Error('a request past the context'))
      }
      try {
        await collect(source.extract(input, recordedContext(documents)))
      } finally {
        globalThis.fetch = realFetch
      }
      expect(outside).toEqual([])
    })

    it('stops when the signal fires', async () => {
      const abort = new AbortController()
      abort.abort()
      const run = collect(source.extract(input, recordedContext(documents, { signal: abort.signal })))
      await expectCancelled(run)
    })

    // What has no meaning for a source is not generated, so that nothing counts as skipped.
    if (!fetches) return

    it('stops when the signal fires during a request', async () => {
      const abort = new AbortController()
      const context = recordedContext(documents, { signal: abort.signal, onFetch: () => abort.abort() })
      await expectCancelled(collect(source.extract(input, context)))
      expect(context.requests.length).toBeLessThan(10)
    })

    it('throws our errors when the answer is missing, refused, broken or rubbish', async () => {
      for (const answer of failures) {
        const context = answering(answer)
        const error: unknown = await collect(source.extract(input, context)).then(
          () => undefined,
          (reason: unknown) => reason,
        )
        expect(isTrawlError(error) ? error.code : error).toMatch(/^ERR_(?!INTERNAL)/)
      }
    })
  })
}

const failures: readonly RecordedAnswer[] = [
  { text: 'no', status: 404 },
  { text: 'no', status: 401 },
  { text: 'no', status: 503 },
  '',
  '{"a": ',
  'null',
  '[]',
  '\u0000\uFFFD\u0001 rubbish',
]

function answering(answer: RecordedAnswer): SourceContext {
  const all = new Proxy<Record<string, RecordedAnswer>>(
    {},
    {
      get: () => answer,
      getOwnPropertyDescriptor: () => ({ value: answer, configurable: true, enumerable: true }),
    },
  )
  return recordedContext(all)
}

async function expectCancelled(run: Promise<readonly SourceItem[]>): Promise<void> {
  await expect(run).rejects.toMatchObject({ code: 'ERR_CANCELLED' })
}

async function collect(items: AsyncIterable<SourceItem>): Promise<readonly SourceItem[]> {
  const out: SourceItem[] = []
  for await (const item of items) out.push(item)
  return out
}

export function pagesOf(items: readonly SourceItem[]): readonly Page[] {
  return items.flatMap((item) => (item.type === 'page' ? [item.page] : []))
}

/** The first address of a page. */
export function addressOf(page: Page): string | undefined {
  return page.localPath ?? firstAddress(page.locator ?? page.layers?.[0]?.locator)
}

function firstAddress(locator: Locator | undefined): string | undefined {
  if (locator === undefined) return undefined
  return locator.kind === 'source' ? `${locator.source}:${locator.ref}` : locator.places[0]?.url
}

function checkOrder(items: readonly SourceItem[]): void {
  let books = 0
  let depth = -1
  for (const item of items) {
    if (item.type === 'book') {
      books++
      expect(item.book.metadata.title).not.toBe('')
    } else if (item.type === 'chapter') {
      expect(books).toBe(1)
      expect(item.chapter.depth).toBeLessThanOrEqual(depth + 1)
      depth = item.chapter.depth
    } else if (item.type === 'page') {
      expect(books).toBe(1)
      const ways = [item.page.locator, item.page.localPath, item.page.layers].filter(
        (way) => way !== undefined,
      )
      expect(ways.length).toBeLessThanOrEqual(1)
      if (item.page.layers !== undefined) expect(item.page.expectedWidthPx).toBeGreaterThan(0)
    } else {
      expect(item.input.text).not.toBe('')
    }
  }
  expect(books).toBeLessThanOrEqual(1)
  expect(items.at(-1)?.type).not.toBe('chapter')
}

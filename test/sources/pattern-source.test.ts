import { describe, expect, it } from 'vitest'
import { patternSource, type SourceItem } from '../../src/sources/index.ts'
import { addressOf, describeSourceContract, pagesOf } from '../contract/source.ts'
import { recordedContext } from './recorded-context.ts'

async function run(text: string): Promise<readonly SourceItem[]> {
  const items: SourceItem[] = []
  for await (const item of patternSource.extract({ text }, recordedContext({}))) items.push(item)
  return items
}

describeSourceContract('a URL pattern', {
  source: patternSource,
  input: { text: 'https://example.org/atlas/page-[098-101].jpg' },
  documents: {},
  fetches: false,
  expectedPages: ['098', '099', '100', '101'].map((n) => `https://example.org/atlas/page-${n}.jpg`),
})

describe('patternSource', () => {
  it('names the book by its folder and counts the pages', async () => {
    const [book] = await run('https://example.org/old%20atlas/page-[1-3].jpg')
    expect(book).toMatchObject({ type: 'book', book: { metadata: { title: 'old atlas' }, pageCount: 3 } })
  })

  it('makes chapters of groups in folders', async () => {
    const items = await run('https://example.org/comic/[01-02]/{a,b}-[1-2].png')
    expect(
      items.map((item) =>
        item.type === 'page'
          ? addressOf(item.page)?.slice(26)
          : item.type === 'chapter'
            ? item.chapter
            : item.type,
      ),
    ).toEqual([
      'book',
      { id: '01', title: '01', number: '1', depth: 0 },
      '01/a-1.png',
      '01/a-2.png',
      '01/b-1.png',
      '01/b-2.png',
      { id: '02', title: '02', number: '2', depth: 0 },
      '02/a-1.png',
      '02/a-2.png',
      '02/b-1.png',
      '02/b-2.png',
    ])
  })

  it('makes works of pages and manifests', async () => {
    expect(await run('https://example.org/read/[9-10]/')).toEqual([
      { type: 'link', input: { text: 'https://example.org/read/9/' }, number: '9' },
      { type: 'link', input: { text: 'https://example.org/read/10/' }, number: '10' },
    ])
  })

  it('takes a single image as it is', async () => {
    expect(patternSource.match({ text: 'https://example.org/x.jpg?size=full' })?.confidence).toBe(0.5)
    const items = await run('https://example.org/a/x.jpg?size=full')
    expect(items[0]).toMatchObject({ type: 'book', book: { metadata: { title: 'x' } } })
    expect(pagesOf(items).map(addressOf)).toEqual(['https://example.org/a/x.jpg?size=full'])
  })

  it('is the one to say what is wrong with a pattern', async () => {
    expect(patternSource.match({ text: 'https://example.org/[5-1].jpg' })?.confidence).toBeGreaterThan(0.9)
    await expect(run('https://example.org/[5-1].jpg')).rejects.toMatchObject({ code: 'ERR_URL_INVALID' })
    await expect(run('https://example.org/[1-999999999].jpg')).rejects.toMatchObject({
      code: 'ERR_INPUT_INVALID',
      message: expect.stringContaining('gives 999999999 pages'),
    })
    await expect(run('https://ex ample.org:x/[1-5].jpg')).rejects.toMatchObject({ code: 'ERR_URL_INVALID' })
  })

  it('does not want other URLs', () => {
    for (const text of ['https://example.org/', 'https://example.org/?a[]=1', 'https://[::1]/x']) {
      expect(patternSource.match({ text })).toBeUndefined()
    }
  })
})

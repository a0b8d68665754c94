import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseSelection, selectItems, type SourceItem } from '../../src/sources/index.ts'

const book: SourceItem = { type: 'book', book: { id: 'b', metadata: { title: 'b' } } }
const page = (label: string): SourceItem => ({ type: 'page', page: { label } })
const chapter = (title: string, depth = 0, number?: string): SourceItem => ({
  type: 'chapter',
  chapter: { id: title, title, depth, ...(number === undefined ? {} : { number }) },
})
const link = (text: string, number?: string): SourceItem => ({
  type: 'link',
  input: { text },
  ...(number === undefined ? {} : { number }),
})

function name(item: SourceItem): string {
  if (item.type === 'chapter') return `#${item.chapter.title}`
  if (item.type === 'page') return item.page.label ?? ''
  return item.type === 'link' ? `>${item.input.text}` : 'book'
}

/** Gives the items and counts how many were asked for. */
function stream(items: readonly SourceItem[]): { items: AsyncIterable<SourceItem>; asked: () => number } {
  let asked = 0
  async function* run(): AsyncGenerator<SourceItem> {
    for (const item of items) {
      asked++
      yield await Promise.resolve(item)
    }
  }
  return { items: run(), asked: () => asked }
}

async function select(
  items: readonly SourceItem[],
  wanted: { chapters?: string; pages?: string },
): Promise<{ names: string; asked: number }> {
  const source = stream(items)
  const names: string[] = []
  const selection = {
    ...(wanted.chapters === undefined ? {} : { chapters: parseSelection(wanted.chapters, '--chapters') }),
    ...(wanted.pages === undefined ? {} : { pages: parseSelection(wanted.pages, '--pages') }),
  }
  for await (const item of selectItems(source.items, selection)) names.push(name(item))
  return { names: names.join(' '), asked: source.asked() }
}

const pages = (count: number) => Array.from({ length: count }, (_, i) => page(String(i + 1)))

describe('parseSelection', () => {
  it.each([
    ['1-3,7', [1, 2, 3, 7]],
    ['3', [3]],
    ['8-', [8, 9, 10]],
    ['-3:', [8, 9, 10]],
    [':-9', [1, 2]],
    ['-1', [10]],
    ['2:8:3', [2, 5, 8]],
    ['::4', [1, 5, 9]],
    ['-5::2', [6, 8, 10]],
    ['-20:2', [1, 2]],
    ['9:-1', [9, 10]],
    [' 2 - 3 , 5 ', [2, 3, 5]],
    ['10.5', []],
    ['11-20', []],
  ])('reads %s', (text, expected) => {
    const selection = parseSelection(text, '--pages')
    expect(Array.from({ length: 10 }, (_, i) => i + 1).filter((at) => selection.has(at, 10))).toEqual(
      expected,
    )
  })

  it.each(['', 'x', '3-1', '1,,2', '5:2', '1:5:0', '--3', '1-2-3', '0x1'])('refuses %j', (text) => {
    expect(() => parseSelection(text, '--pages')).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }))
  })
})

describe('selectItems', () => {
  it('stops asking once no more page can be wanted', async () => {
    expect(await select([book, ...pages(50)], { pages: '2-3,5' })).toEqual({ names: 'book 2 3 5', asked: 6 })
  })

  it('holds back no more than a selection from the end needs', async () => {
    const out: string[] = []
    const source = stream([book, ...pages(6)])
    for await (const item of selectItems(source.items, { pages: parseSelection(':-3', '--pages') })) {
      out.push(`${name(item)}@${source.asked()}`)
    }
    expect(out).toEqual(['book@1', '1@5', '2@6', '3@7', '4@7'])
  })

  it('keeps the headings of the pages that are left, and only those', async () => {
    const items = [
      book,
      chapter('A'),
      page('1'),
      chapter('A1', 1),
      page('2'),
      chapter('B'),
      page('3'),
      chapter('C'),
    ]
    expect((await select([...items, page('4')], { pages: '2,4' })).names).toBe('book #A #A1 2 #C 4')
    expect((await select([...items, page('4')], { pages: '-1' })).names).toBe('book #C 4')
  })

  it('selects chapters by position, with what is below them, and drops pages before the first', async () => {
    const items = [
      book,
      page('0'),
      chapter('A'),
      page('1'),
      chapter('A1', 1),
      page('2'),
      chapter('B'),
      page('3'),
    ]
    const more = [...items, chapter('C'), page('4'), page('5')]
    expect((await select(more, { chapters: '1,3' })).names).toBe('book #A 1 #A1 2 #C 4 5')
    expect((await select(more, { chapters: '-2:' })).names).toBe('book #B 3 #C 4 5')
    expect((await select(more, { chapters: ':-3' })).names).toBe('book #A 1 #A1 2')
    expect(await select(more, { chapters: '1' })).toEqual({ names: 'book #A 1 #A1 2', asked: 7 })
    expect((await select(more, { chapters: '3', pages: '2' })).names).toBe('book #C 5')
  })

  it('selects links and chapters by the number they bear', async () => {
    const links = [link('c', '3'), link('b', '10.5'), link('a', '1'), link('x')]
    expect((await select(links, { chapters: '1-3' })).names).toBe('>c >a')
    expect((await select(links, { chapters: '10-11' })).names).toBe('>b')
    expect((await select(links, { chapters: '-1' })).names).toBe('>x')
    const chapters = [chapter('A', 0, '7'), page('1'), chapter('B', 0, '8'), page('2')]
    expect((await select(chapters, { chapters: '8' })).names).toBe('#B 2')
    const mixed = [link('1', '1'), link('extra'), link('2', '2'), link('3', '3')]
    expect((await select(mixed, { chapters: '2' })).names).toBe('>2')
    expect((await select(mixed, { chapters: '2-,-3' })).names).toBe('>extra >2 >3')
  })

  it('agrees with a selection made with the whole in hand', async () => {
    const bound = fc.oneof(
      fc.constant(''),
      fc
        .integer({ min: -8, max: 12 })
        .filter((n) => n !== 0)
        .map(String),
    )
    const part = fc
      .tuple(bound, bound, fc.integer({ min: 1, max: 3 }))
      .map(([a, b, step]) => `${a}:${b}:${step}`)
    await fc.assert(
      fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 3 }), fc.nat(12), async (parts, total) => {
        const text = parts.join(',')
        let selection
        try {
          selection = parseSelection(text, '--pages')
        } catch {
          return
        }
        const expected = pages(total).filter((_, i) => selection.has(i + 1, total))
        const { names } = await select(pages(total), { pages: text })
        expect(names).toBe(expected.map(name).join(' '))
      }),
      { numRuns: 500 },
    )
  })
})

import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { htmlSource, type SourceInput, type SourceItem } from '../../../src/sources/index.ts'
import { addressOf, describeSourceContract, pagesOf } from '../../contract/source.ts'
import { recordedContext, type RecordedAnswer } from '../recorded-context.ts'

const folder = new URL('../fixtures/html/', import.meta.url)
const site = 'https://pages.example.net'
const documents: Record<string, RecordedAnswer> = {}
for (const name of readdirSync(folder).filter((file) => file.endsWith('.html'))) {
  const text = readFileSync(new URL(name, folder), 'utf8')
  documents[`${site}/${name}`] = { text, headers: { 'content-type': 'text/html' } }
}
const listing = (name: string): Record<string, RecordedAnswer> => ({
  [`${site}/scans/atlas/`]: documents[`${site}/${name}`] ?? '',
})

async function run(
  text: string,
  given: Partial<SourceInput> & { readonly documents?: Record<string, RecordedAnswer> } = {},
): Promise<{
  items: readonly SourceItem[]
  pages: readonly (string | undefined)[]
  notices: readonly string[]
}> {
  const context = recordedContext(given.documents ?? documents)
  const items: SourceItem[] = []
  const input = { text, ...(given.options === undefined ? {} : { options: given.options }) }
  for await (const item of htmlSource.extract(input, context)) items.push(item)
  return { items, pages: pagesOf(items).map(addressOf), notices: context.notices }
}

const at = (...paths: readonly string[]): readonly string[] =>
  paths.map((path) => (path.startsWith('http') ? path : `${site}${path}`))

describeSourceContract('a lazy reader', {
  source: htmlSource,
  input: { text: `${site}/lazy.html` },
  documents,
  expectedPages: [1, 2, 3, 4].map((n) => `https://cdn.example.net/harbour/0${n}.jpg`),
  requestsBeforeFirstPage: 1,
})

describeSourceContract('a webcomic of several pages', {
  source: htmlSource,
  input: { text: `${site}/comic-1.html` },
  documents,
  expectedPages: at('/strips/0001.png', '/strips/0002.png', '/strips/0002b.png', '/strips/0003.png'),
  requestsBeforeFirstPage: 1,
})

describeSourceContract('an nginx folder', {
  source: htmlSource,
  input: { text: `${site}/scans/atlas/` },
  documents: listing('nginx.html'),
  expectedPages: at(
    '/scans/atlas/plate%201.jpg',
    '/scans/atlas/plate%202.jpg',
    '/scans/atlas/plate%2010.jpg',
  ),
  requestsBeforeFirstPage: 1,
})

describe('htmlSource chooses', () => {
  it.each<readonly [string, readonly string[]]>([
    [
      'linked.html',
      at(...['1', '2', '10'].map((n) => `/albums/summer/full/img_${n}.jpg`), '/albums/summer/full/img_3.JPG'),
    ],
    [
      'srcset.html',
      at(
        '/p/one-1200.jpg',
        '/p/two-2400.webp',
        '/p/three@2x.jpg',
        '/p/four.jpg',
        '/p/five,a-900.jpg',
        '/p/six-original.jpg',
      ),
    ],
    ['next-data.html', [1, 2, 3, 4].map((n) => `https://img.example.net/t1/p${n}.webp`)],
    ['script-array.html', at('/scans/a%201.jpg', '/scans/b2.jpg', '/scans/c3.jpg')],
    ['pager-1.html', at('/o/1.jpg', '/o/2.jpg', '/o/3.jpg', '/o/4.jpg')],
    ['article.html', at('/walk/north.jpg', '/walk/south.jpg', '/walk/east.jpg')],
    ['mixed-wrappers.html', at('/m/1.jpg', '/m/2.jpg', '/m/3.jpg', '/m/4.jpg')],
    ['pictures.html', at('/v/one.jpg', '/v/two.jpg', '/v/three.jpg', '/v/four.jpg')],
    ['photo-1.html', at('/big/p1.jpg')],
  ])('the pages of %s', async (name, expected) => {
    expect((await run(`${site}/${name}`)).pages).toEqual(expected)
  })

  it('the title, author and language that the page gives', async () => {
    const [first] = (await run(`${site}/lazy.html`)).items
    expect(first).toMatchObject({
      type: 'book',
      book: { metadata: { title: 'Chapter 3 – The Harbour', authors: ['A. Writer'], language: 'en' } },
    })
  })

  it('the referer of the page for its images', async () => {
    const { items } = await run(`${site}/pager-1.html`)
    expect(
      pagesOf(items).map((page) => (page.locator?.kind === 'mirrors' ? page.locator.places[0]?.headers : 0)),
    ).toEqual([
      { referer: `${site}/pager-1.html` },
      { referer: `${site}/pager-1.html` },
      { referer: `${site}/pager-2.html` },
      { referer: `${site}/pager-3.html` },
    ])
  })

  it('thumbnails with a notice, or on demand the image of the page that each leads to', async () => {
    const plain = await run(`${site}/signposts.html`)
    expect(plain.pages).toEqual(at('/t/p1.jpg', '/t/p2.jpg', '/t/p3.jpg'))
    expect(plain.notices).toEqual([expect.stringContaining('option follow')])
    const followed = await run(`${site}/signposts.html`, { options: { follow: 'yes' } })
    expect(followed.pages).toEqual([1, 2, 3].map((n) => `html:${site}/photo-${n}.html`))
    expect(await htmlSource.resolve?.(`${site}/photo-1.html`, 'first', recordedContext(documents))).toEqual({
      kind: 'mirrors',
      places: [{ url: `${site}/big/p1.jpg`, headers: { referer: `${site}/photo-1.html` } }],
    })
  })
})

describe('htmlSource on folder listings', () => {
  it.each([
    ['apache.html', at('/scans/atlas/P8.png', '/scans/atlas/p9.png', '/scans/atlas/p10.png')],
    ['python.html', at('/scans/atlas/a2.webp', '/scans/atlas/a10.webp')],
  ])('takes the images of %s in natural order', async (name, expected) => {
    expect((await run(`${site}/scans/atlas/`, { documents: listing(name) })).pages).toEqual(expected)
  })

  it('says what it leaves out, and gives folders as works of their own', async () => {
    const { items, notices } = await run(`${site}/scans/atlas/`, { documents: listing('nginx.html') })
    expect(items[0]).toMatchObject({ type: 'book', book: { metadata: { title: 'atlas' }, pageCount: 3 } })
    expect(items.at(-1)).toEqual({
      type: 'link',
      input: { text: `${site}/scans/atlas/appendix/`, source: 'html' },
      title: 'appendix',
    })
    expect(notices).toEqual([expect.stringContaining('1 file is left out')])
  })

  it('is a series when there are only folders', async () => {
    const { items } = await run(`${site}/comics/`, {
      documents: { [`${site}/comics/`]: documents[`${site}/volumes.html`] ?? '' },
    })
    expect(items).toEqual([
      {
        type: 'link',
        input: { text: `${site}/comics/vol%202/`, source: 'html' },
        title: 'vol 2',
        number: '2',
      },
      {
        type: 'link',
        input: { text: `${site}/comics/vol%2010/`, source: 'html' },
        title: 'vol 10',
        number: '10',
      },
    ])
  })
})

describe('htmlSource meets', () => {
  it('a page with a IIIF manifest, and leads there', async () => {
    expect((await run(`${site}/iiif-link.html`)).items).toEqual([
      {
        type: 'link',
        input: { text: `${site}/iiif/psalter/manifest?x=1&y=2`, source: 'iiif' },
        title: 'Psalter',
      },
    ])
  })

  it('a manifest behind a plain address, and leads to the source that reads it', async () => {
    const text = '{"@context":"http://iiif.io/api/presentation/3/context.json","type":"Manifest","items":[]}'
    const { items } = await run(`${site}/item/5`, { documents: { [`${site}/item/5`]: text } })
    expect(items).toEqual([{ type: 'link', input: { text: `${site}/item/5`, source: 'iiif' } }])
  })

  it('an image, and takes it as the only page', async () => {
    const answer = {
      text: '\u00FF\u00D8',
      headers: { 'content-type': 'image/jpeg' },
      url: `${site}/x/real.jpg`,
    }
    const { pages } = await run(`${site}/show?id=5`, { documents: { [`${site}/show?id=5`]: answer } })
    expect(pages).toEqual([`${site}/x/real.jpg`])
  })

  it('nothing to take, and says so', async () => {
    await expect(run(`${site}/no-images.html`)).rejects.toMatchObject({ code: 'ERR_SOURCE_EMPTY' })
  })

  it.each([
    ['application/pdf', '%PDF-1.7', 'ERR_SOURCE_PARSE'],
    ['application/json', '{"a":1}', 'ERR_SOURCE_PARSE'],
  ])('%s, and says so', async (type, text, code) => {
    const answer = { text, headers: { 'content-type': type } }
    await expect(run(`${site}/x`, { documents: { [`${site}/x`]: answer } })).rejects.toMatchObject({ code })
  })

  it('a page in an old encoding', async () => {
    const bytes = Buffer.from(
      '<html><head><meta charset="windows-1252"><title>Caf\u00E9</title></head><body><img src="/a.jpg"></body></html>',
      'latin1',
    )
    const context = {
      ...recordedContext({}),
      fetch: () =>
        Promise.resolve({ url: `${site}/`, status: 200, headers: {}, bytes, text: bytes.toString('utf8') }),
    }
    const items = htmlSource.extract({ text: `${site}/` }, context)
    const first = await items[Symbol.asyncIterator]().next()
    expect(first.value).toMatchObject({ book: { metadata: { title: 'Café' } } })
  })
})

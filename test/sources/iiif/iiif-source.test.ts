import { describe, expect, it } from 'vitest'
import { iiifSource, type SourceItem } from '../../../src/sources/index.ts'
import { addressOf, describeSourceContract, pagesOf } from '../../contract/source.ts'
import { recordedContext } from '../recorded-context.ts'
import {
  annotation3,
  canvas3,
  extract,
  image3,
  images,
  info3,
  manifest3,
  page3,
  site,
} from './iiif-documents.ts'

const url = `${site}/manifest`
const full = (id: string) => `${images}/${id}/full/max/0/default.jpg`
const ids = Array.from({ length: 20 }, (_, i) => `p${i}`)

function placesOf(item: SourceItem | undefined): readonly string[] {
  const locator = item?.type === 'page' ? item.page.locator : undefined
  return locator === undefined || locator.kind === 'source' ? [] : locator.places.map((place) => place.url)
}

const names = (items: readonly SourceItem[]) =>
  items.map((item) =>
    item.type === 'page' ? item.page.label : item.type === 'chapter' ? `#${item.chapter.title}` : item.type,
  )

const state = (json: unknown) => Buffer.from(encodeURIComponent(JSON.stringify(json))).toString('base64url')

const member = (id: string) => ({ id: `${site}/${id}`, type: 'Manifest', label: { none: [id] } })

const textsOf = (items: readonly SourceItem[]) =>
  items.map((item) => (item.type === 'link' ? item.input.text.replace(`${site}/`, '') : item.type))

const listPage = (n: number, next: string) =>
  JSON.stringify({
    '@context': 'http://iiif.io/api/presentation/2/context.json',
    '@id': `${site}/list/${n}`,
    '@type': 'sc:Collection',
    label: 'Long',
    manifests: [{ '@id': `${site}/m${n}`, '@type': 'sc:Manifest', label: `${n}` }],
    next: `${site}/list/${next}`,
  })

describeSourceContract('a manifest with image infos', {
  source: iiifSource,
  input: { text: url },
  documents: {
    [url]: manifest3(ids.map((id) => canvas3(id))),
    ...Object.assign({}, ...ids.map((id) => info3(id))),
  },
  expectedPages: ids.map(full),
  requestsBeforeFirstPage: 7,
})

describe('image infos', () => {
  it('are asked for once each, ahead of the page but not of all', async () => {
    const context = recordedContext({
      [url]: manifest3([...ids, 'p0'].map((id) => canvas3(id))),
      ...Object.assign({}, ...ids.map((id) => info3(id))),
    })
    const iterator = iiifSource.extract({ text: url }, context)[Symbol.asyncIterator]()
    await iterator.next()
    expect(context.requests).toEqual([url])
    await iterator.next()
    expect(context.requests.length).toBeLessThan(8)
    for (;;) if ((await iterator.next()).done === true) break
    expect(context.requests.filter((one) => one === `${images}/p0/info.json`)).toHaveLength(1)
    expect(context.requests).toHaveLength(1 + ids.length)
  })

  it('tell the size to expect, and where the server caps it', async () => {
    const { items } = await extract(url, {
      [url]: manifest3([canvas3('a'), canvas3('b')]),
      ...info3('a', { width: 4000, height: 6000 }),
      ...info3('b', { maxWidth: 1000 }),
    })
    expect(pagesOf(items).map((page) => [page.expectedWidthPx, page.expectedHeightPx])).toEqual([
      [4000, 6000],
      // A server may round up to 667 by 1000; it never gives less than this.
      [666, 999],
    ])
  })

  it('that are missing leave the manifest to decide; a host without any is not asked for ever', async () => {
    const { items, context } = await extract(url, { [url]: manifest3(ids.map((id) => canvas3(id))) })
    expect(pagesOf(items).map(addressOf)).toEqual(ids.map(full))
    expect(context.requests.length).toBeLessThan(12)
    expect(context.notices).toHaveLength(1)
  })

  it('are not asked for with info=no', async () => {
    const { items, context } = await extract(url, { [url]: manifest3([canvas3('a')]) }, { info: 'no' })
    expect(pagesOf(items).map(addressOf)).toEqual([full('a')])
    expect(context.requests).toEqual([url])
  })
})

describe('stitching', () => {
  const documents = {
    [url]: manifest3([canvas3('a'), canvas3('b')]),
    ...info3('a', { maxWidth: 1000, tiles: [{ width: 800, scaleFactors: [1, 2] }] }),
    ...info3('b'),
  }

  it('is not done unless asked for', async () => {
    const { items } = await extract(url, documents)
    expect(pagesOf(items).every((page) => page.layers === undefined)).toBe(true)
  })

  it('makes tiles of images that the server caps', async () => {
    const [capped, open] = pagesOf((await extract(url, documents, { stitch: 'yes' })).items)
    expect(capped).toMatchObject({ expectedWidthPx: 2000, expectedHeightPx: 3000 })
    expect(capped?.layers).toHaveLength(12)
    expect(capped?.layers?.at(-1)).toMatchObject({ x: 1600, y: 2400, widthPx: 400, heightPx: 600 })
    expect(open?.layers).toBeUndefined()
  })

  it('refuses a word it does not know', async () => {
    await expect(extract(url, documents, { stitch: 'maybe' })).rejects.toMatchObject({
      code: 'ERR_CONFIG_INVALID',
    })
  })
})

describe('annotation pages that stand elsewhere', () => {
  const ref = `${site}/painting-page`
  const canvas = canvas3('a', { items: [{ id: ref, type: 'AnnotationPage' }] })

  it('are fetched', async () => {
    const page = JSON.stringify(page3('painting-page', [annotation3('a', image3('a'))]))
    const { items } = await extract(url, { [url]: manifest3([canvas]), [ref]: page }, { info: 'no' })
    expect(pagesOf(items).map(addressOf)).toEqual([full('a')])
  })

  it('that are missing cost the image and not the page', async () => {
    const { items, context } = await extract(
      url,
      { [url]: manifest3([canvas, canvas3('b')]) },
      { info: 'no' },
    )
    expect(pagesOf(items).map(addressOf)).toEqual([undefined, full('b')])
    expect(context.notices).toEqual([expect.stringContaining('404')])
  })
})

describe('images', () => {
  it('covered by another on top are left out', async () => {
    const canvas = canvas3('a', {
      items: [page3('x', [annotation3('a', image3('low')), annotation3('a', image3('top'))])],
    })
    const { items } = await extract(url, { [url]: manifest3([canvas]) }, { info: 'no' })
    expect(pagesOf(items).map(addressOf)).toEqual([full('top')])
  })

  it('that are files are cut out of after the download', async () => {
    const body = {
      type: 'SpecificResource',
      source: { id: `${site}/a.jpg`, type: 'Image', width: 1000, height: 500 },
      selector: { type: 'FragmentSelector', value: 'xywh=100,50,500,250' },
    }
    const canvas = canvas3('a', { items: [page3('x', [annotation3('a', body)])] })
    const { items } = await extract(url, { [url]: manifest3([canvas]) })
    expect(pagesOf(items)).toEqual([
      {
        label: 'a',
        expectedWidthPx: 500,
        expectedHeightPx: 250,
        layers: [
          {
            locator: { kind: 'mirrors', places: [{ url: `${site}/a.jpg` }] },
            x: 0,
            y: 0,
            widthPx: 500,
            heightPx: 250,
            crop: { x: 0.1, y: 0.1, width: 0.5, height: 0.5 },
          },
        ],
      },
    ])
  })

  it('of a malformed type are images all the same', async () => {
    const canvas = canvas3('a', {
      items: [page3('x', [annotation3('a', image3('a', { type: 'dcterms_image' }))])],
    })
    const { items } = await extract(url, { [url]: manifest3([canvas]) }, { info: 'no' })
    expect(pagesOf(items).map(addressOf)).toEqual([full('a')])
  })
})

describe('page orders and chapters', () => {
  const structures = [
    {
      id: `${site}/r1`,
      type: 'Range',
      behavior: ['sequence'],
      label: { en: ['As bound'] },
      items: ['b', 'a', 'c'].map((id) => ({ id: `${site}/${id}`, type: 'Canvas' })),
    },
    {
      id: `${site}/r2`,
      type: 'Range',
      behavior: ['no-nav'],
      label: { en: ['Hidden'] },
      items: [{ id: `${site}/a`, type: 'Canvas' }],
    },
    {
      id: `${site}/r3`,
      type: 'Range',
      label: { en: ['Second'] },
      items: [
        { type: 'SpecificResource', source: { id: `${site}/c`, type: 'Canvas' } },
        { id: `${site}/r3`, type: 'Range' },
      ],
    },
    {
      id: `${site}/r4`,
      type: 'Range',
      label: { en: ['First'] },
      items: [{ id: `${site}/a#xywh=0,0,10,10`, type: 'Canvas' }],
    },
  ]
  const documents = {
    [url]: manifest3(
      ['a', 'b', 'c'].map((id) => canvas3(id)),
      { structures },
    ),
  }

  it('follow the manifest by default', async () => {
    const { items } = await extract(url, documents, { info: 'no' })
    expect(names(items)).toEqual(['book', '#First', 'a', 'b', '#Second', 'c'])
  })

  it.each(['1', 'bound'])('follow the order %j that the user wants', async (sequence) => {
    const { items } = await extract(url, documents, { info: 'no', sequence })
    expect(names(items)).toEqual(['book', 'b', '#First', 'a', '#Second', 'c'])
  })

  it('name the orders there are when it is another', async () => {
    await expect(extract(url, documents, { sequence: '2' })).rejects.toMatchObject({
      code: 'ERR_CONFIG_INVALID',
      message: expect.stringContaining('1 (As bound)'),
    })
  })
})

describe('metadata', () => {
  const text = manifest3([canvas3('a')], {
    label: { de: ['Ein Buch'], 'en-GB': ['A book'], none: ['?'] },
    summary: { en: ['Short.'] },
    viewingDirection: 'right-to-left',
    rights: 'http://creativecommons.org/licenses/by/4.0/',
    requiredStatement: { label: { en: ['Attribution'] }, value: { en: ['<b>The</b> Library &amp; Co'] } },
    navDate: '1899-05-07T00:00:00Z',
    homepage: [{ id: `${site}/home`, type: 'Text', format: 'text/html' }],
    metadata: [
      { label: { en: ['Author'] }, value: { none: ['Ada', 'Bob; Cy'] } },
      { label: { en: ['Language'] }, value: { en: ['German'] } },
      { label: { en: ['Date'] }, value: { en: ['ca. 1900'] } },
    ],
  })
  const metadata = async (options: Record<string, string>) => {
    const [book] = (await extract(url, { [url]: text }, { info: 'no', ...options })).items
    return book?.type === 'book' ? book.book.metadata : undefined
  }

  it('is read in the languages that are preferred', async () => {
    expect((await metadata({}))?.title).toBe('?')
    expect((await metadata({ languages: 'fr,en' }))?.title).toBe('A book')
    expect((await metadata({ languages: 'de-AT' }))?.title).toBe('Ein Buch')
  })

  it('keeps what is known and nothing that is not', async () => {
    expect(await metadata({ languages: 'en' })).toEqual({
      title: 'A book',
      authors: ['Ada', 'Bob', 'Cy'],
      language: 'de',
      direction: 'rtl',
      date: '1899-05-07',
      summary: 'Short.',
      rights: 'http://creativecommons.org/licenses/by/4.0/',
      attribution: 'The Library & Co',
      source: `${site}/home`,
      identifier: url,
      extra: [
        { label: 'Author', value: 'Ada; Bob; Cy' },
        { label: 'Language', value: 'German' },
        { label: 'Date', value: 'ca. 1900' },
      ],
    })
  })
})

describe('locked images', () => {
  const login = {
    '@context': 'http://iiif.io/api/auth/1/context.json',
    '@id': `${site}/login`,
    profile: 'http://iiif.io/api/auth/1/login',
    header: 'Members only',
    description: 'Sign in at the desk',
  }
  const locked = { text: JSON.stringify({ service: login }), status: 401 }

  it('stop the work with the words of the library', async () => {
    const documents = { [url]: manifest3([canvas3('a'), canvas3('b')]), [`${images}/a/info.json`]: locked }
    await expect(extract(url, documents)).rejects.toMatchObject({
      code: 'ERR_SOURCE_AUTH',
      message: expect.stringContaining('Members only. Sign in at the desk.'),
    })
  })

  it('are told of once when the first page is open, and the rest goes on', async () => {
    const { items, context } = await extract(url, {
      [url]: manifest3(['a', 'b', 'c'].map((id) => canvas3(id))),
      ...info3('a'),
      [`${images}/b/info.json`]: locked,
      [`${images}/c/info.json`]: locked,
    })
    expect(pagesOf(items).map(addressOf)).toEqual(['a', 'b', 'c'].map(full))
    expect(context.notices).toEqual(['Some pages are locked: Members only. Sign in at the desk.'])
  })

  const probe = `${site}/probe`
  const service = {
    id: `${images}/a`,
    type: 'ImageService3',
    profile: 'level1',
    service: [
      {
        id: probe,
        type: 'AuthProbeService2',
        service: [
          { id: `${site}/access`, type: 'AuthAccessService2', profile: 'active', heading: { en: ['Staff'] } },
        ],
      },
    ],
  }
  const canvas = canvas3('a', {
    items: [page3('x', [annotation3('a', image3('a', { service: [service] }))])],
  })
  const answer = JSON.stringify({
    type: 'AuthProbeResult2',
    status: 401,
    note: { en: ['Only in the reading room'] },
    substitute: [{ id: `${images}/small/full/max/0/default.jpg`, type: 'Image' }],
  })

  it('are found by the probe of version 2', async () => {
    const run = extract(url, { [url]: manifest3([canvas]), [probe]: answer, ...info3('a') })
    await expect(run).rejects.toMatchObject({
      code: 'ERR_SOURCE_AUTH',
      message: expect.stringMatching(/Staff\. Only in the reading room\..*substitute/),
    })
  })

  it('give way to a substitute when the user takes it', async () => {
    const { items } = await extract(
      url,
      { [url]: manifest3([canvas]), [probe]: answer },
      { substitute: 'yes' },
    )
    expect(pagesOf(items).map(addressOf)).toEqual([full('small')])
  })

  it('are open when the probe says so', async () => {
    const open = JSON.stringify({ type: 'AuthProbeResult2', status: 200 })
    const { items } = await extract(url, { [url]: manifest3([canvas]), [probe]: open, ...info3('a') })
    expect(pagesOf(items).map(addressOf)).toEqual([full('a')])
  })
})

describe('addresses', () => {
  const documents = { [url]: manifest3([canvas3('a')]) }
  const target = { id: `${site}/a`, type: 'Canvas', partOf: [{ id: url, type: 'Manifest' }] }

  it.each([
    `https://viewer.example.net/?manifest=${encodeURIComponent(url)}`,
    `https://viewer.example.net/uv.html#?manifest=${url}&c=1`,
    `https://viewer.example.net/?iiif-content=${encodeURIComponent(url)}`,
    `https://viewer.example.net/?iiif-content=${state({ id: url, type: 'Manifest' })}`,
    `https://viewer.example.net/?iiif-content=${state(target)}`,
    `https://viewer.example.net/?iiif-content=${state({ type: 'Annotation', motivation: ['contentState'], target })}`,
    `https://viewer.example.net/?iiif-content=${encodeURIComponent(JSON.stringify(target))}`,
  ])('of viewers lead to the manifest: %s', async (text) => {
    expect(iiifSource.match({ text })?.confidence).toBeGreaterThan(0.9)
    expect(pagesOf((await extract(text, documents, { info: 'no' })).items)).toHaveLength(1)
  })

  it('of pages about a work lead to the manifest that they link to', async () => {
    const page = `<html><head><link href='/manifest' rel="alternate" type='application/ld+json;profile="x"'></head></html>`
    const text = `${site}/iiif/work`
    expect(pagesOf((await extract(text, { ...documents, [text]: page }, { info: 'no' })).items)).toHaveLength(
      1,
    )
  })

  it('of single images are books of one page', async () => {
    const text = `${images}/a/info.json`
    const { items, context } = await extract(text, { ...info3('a', { width: 50, height: 40 }) })
    expect(items[0]).toMatchObject({ type: 'book', book: { metadata: { title: 'a' }, pageCount: 1 } })
    expect(placesOf(items[1])[0]).toBe(full('a'))
    expect(context.requests.length).toBeLessThanOrEqual(2)
  })

  it('ask again in plain words when the server is picky', async () => {
    let refusals = 0
    const context = recordedContext(documents)
    const picky = {
      ...context,
      fetch: async (...[where, options]: Parameters<typeof context.fetch>) => {
        const found = await context.fetch(where, options)
        if (options?.headers?.['accept'] === 'application/json') return found
        refusals++
        return { ...found, status: 406 }
      },
    }
    const items: SourceItem[] = []
    for await (const item of iiifSource.extract({ text: url, options: { info: 'no' } }, picky))
      items.push(item)
    expect(items).toHaveLength(2)
    expect(refusals).toBe(1)
  })

  it.each([
    ['https://img.example.net/iiif/x/full/max/0/default.jpg', undefined],
    ['https://library.example.net/item/5', undefined],
    ['./book.json', 0.6],
    ['https://iiif.wellcomecollection.org/presentation/v2/b18035723', 0.6],
    ['https://gallica.bnf.fr/iiif/ark:/12148/btv1b7200024s/manifest.json', 0.9],
  ])('%s match by %s', (text, confidence) => {
    expect(iiifSource.match({ text })?.confidence).toBe(confidence)
  })
})

describe('collections', () => {
  const list = `${site}/collection`

  it('give members once, those of embedded collections in their place', async () => {
    const text = JSON.stringify({
      '@context': ['http://iiif.io/api/presentation/3/context.json'],
      id: list,
      type: 'Collection',
      label: { none: ['All'] },
      items: [
        member('m1'),
        { id: `${site}/c1`, type: 'Collection', items: [member('m2'), member('m1')] },
        { id: `${site}/c2`, type: 'Collection' },
        member('m1'),
      ],
    })
    expect(textsOf((await extract(list, { [list]: text })).items)).toEqual(['m1', 'm2', 'c2'])
  })

  it('of many pages are fetched page by page, and circles end', async () => {
    const first = JSON.stringify({
      '@type': 'sc:Collection',
      '@id': list,
      label: 'Long',
      total: 3,
      first: `${site}/list/1`,
    })
    const documents = {
      [list]: first,
      [`${site}/list/1`]: listPage(1, '2'),
      [`${site}/list/2`]: listPage(2, '3'),
      [`${site}/list/3`]: listPage(3, '1'),
    }
    expect(textsOf((await extract(list, documents)).items)).toEqual(['m1', 'm2', 'm3'])
    const context = recordedContext(documents)
    await iiifSource.extract({ text: list }, context)[Symbol.asyncIterator]().next()
    expect(context.requests).toHaveLength(2)
  })

  it('without members are an error', async () => {
    const text = JSON.stringify({ '@type': 'sc:Collection', '@id': list, label: 'None' })
    await expect(extract(list, { [list]: text })).rejects.toMatchObject({ code: 'ERR_SOURCE_EMPTY' })
  })
})

const extractWith = async (
  given: string,
  documents: Readonly<Record<string, string>>,
  localFiles: boolean,
) => {
  const context = recordedContext(documents, { localFiles })
  const items: SourceItem[] = []
  for await (const item of iiifSource.extract({ text: given, options: { info: 'no' } }, context))
    items.push(item)
  return items
}

describe('files of this machine', () => {
  const text = new URL('../fixtures/iiif/villanova-manifest.json', import.meta.url).pathname
  it('are read only where the context allows it', async () => {
    expect(await extractWith(text, {}, true)).toHaveLength(3)
    await expect(extractWith(text, {}, false)).rejects.toMatchObject({ code: 'ERR_INPUT_UNREADABLE' })
  })

  it('are never read because a document says so', async () => {
    const sequence = JSON.stringify({
      '@type': 'sc:Manifest',
      '@id': url,
      label: 'x',
      sequences: [{ '@id': text }],
    })
    await expect(extractWith(url, { [url]: sequence }, true)).rejects.toMatchObject({
      code: 'ERR_SOURCE_PARSE',
    })
    const page = manifest3([canvas3('a', { items: [{ id: text, type: 'AnnotationPage' }] })])
    expect(pagesOf(await extractWith(url, { [url]: page }, true)).map(addressOf)).toEqual([undefined])
    const list = `${site}/list`
    const collection = JSON.stringify({
      '@type': 'sc:Collection',
      '@id': list,
      label: 'x',
      manifests: ['file:///etc/x.json', text, `${site}/ok`].map((id) => ({ '@id': id, label: 'x' })),
    })
    expect(textsOf(await extractWith(list, { [list]: collection }, true))).toEqual([text.slice(1), 'ok'])
    const state = Buffer.from(encodeURIComponent(JSON.stringify({ id: text, type: 'Manifest' }))).toString(
      'base64url',
    )
    expect(iiifSource.match({ text: `https://viewer.example.net/?iiif-content=${state}` })).toBeUndefined()
  })
})

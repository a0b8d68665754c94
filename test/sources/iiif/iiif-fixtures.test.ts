import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { iiifSource, type SourceItem } from '../../../src/sources/index.ts'
import { addressOf, describeSourceContract, pagesOf } from '../../contract/source.ts'
import { recordedContext } from '../recorded-context.ts'
import { sharedFixtures } from '../shared-fixtures.ts'
import { extract, fixture, site } from './iiif-documents.ts'

const url = `${site}/manifest.json`
const run = async (name: string, options?: Readonly<Record<string, string>>) =>
  extract(url, { [url]: fixture(name) }, options)
const reference = 'https://iiif.io/api/image/3.0/example/reference'

function chaptersOf(items: readonly SourceItem[]): readonly string[] {
  const out: string[] = []
  let page = 0
  for (const item of items) {
    if (item.type === 'page') page++
    if (item.type === 'chapter')
      out.push(`${'  '.repeat(item.chapter.depth)}${item.chapter.title} @${page + 1}`)
  }
  return out
}

describeSourceContract('the cookbook book with a missing image', {
  source: iiifSource,
  input: { text: url },
  documents: { [url]: fixture('0283-missing-image') },
  expectedPages: [
    `${reference}/d3bbf5397c6df6b894c5991195c912ab-1-21198-zz001d8m41_774608_master/full/max/0/default.jpg`,
    undefined,
    `${reference}/d3bbf5397c6df6b894c5991195c912ab-3-21198-zz001d8tm5_775004_master/full/max/0/default.jpg`,
    `${reference}/d3bbf5397c6df6b894c5991195c912ab-4-21198-zz001d8tnp_775007_master/full/max/0/default.jpg`,
  ],
  requestsBeforeFirstPage: 6,
})

describe('manifests of libraries', () => {
  it('keep the number of a page without an image', async () => {
    const { items } = await run('0283-missing-image')
    expect(pagesOf(items).map((page) => [page.label, page.locator === undefined])).toEqual([
      ['f. 1r', false],
      ['f. 1v — MISSING', true],
      ['f. 2r', false],
      ['f. 2v', false],
    ])
  })

  it('become layers where several images make a page, or the first alone', async () => {
    const [page] = pagesOf((await run('0036-composition-from-multiple-images')).items)
    expect(page?.locator).toBeUndefined()
    expect(page?.layers).toHaveLength(2)
    const scale = (page?.expectedWidthPx ?? 0) / 7216
    // Scaled up towards the sharper miniature, within bounds.
    expect(scale).toBeGreaterThan(1)
    expect((page?.expectedWidthPx ?? 0) * (page?.expectedHeightPx ?? 0)).toBeLessThanOrEqual(100_000_001)
    const [whole, miniature] = page?.layers ?? []
    expect(whole).toMatchObject({
      x: 0,
      y: 0,
      widthPx: page?.expectedWidthPx,
      heightPx: page?.expectedHeightPx,
    })
    expect((miniature?.x ?? 0) / scale).toBeCloseTo(3949, -1)
    expect((miniature?.widthPx ?? 0) / scale).toBeCloseTo(1091, -1)
    const first = pagesOf(
      (await run('0036-composition-from-multiple-images', { composition: 'first' })).items,
    )
    expect(first.map(addressOf)).toEqual([
      `${reference}/899da506920824588764bc12b10fc800-bnf_chateauroux/full/max/0/default.jpg`,
    ])
  })

  it('give the parts of images that an exhibition shows', async () => {
    const [page] = pagesOf((await run('exhibition-1')).items)
    const regions = page?.layers?.map(({ locator }) => addressOf({ locator })?.split('/').at(-4))
    expect(regions).toEqual(['4164,352,3702,5420', '4415,422,3758,5440', '4479,548,3718,5404', 'full'])
  })

  it.each([
    ['', 'dee-natural'],
    ['2', 'dee-xray'],
    ['x-ray', 'dee-xray'],
    ['no such', 'dee-natural'],
  ])('offer choices: %j takes %s', async (choice, expected) => {
    const { items } = await run('0033-choice', { choice })
    expect(pagesOf(items).map(addressOf)).toEqual([expect.stringContaining(expected)])
  })

  it.each(['service', 'css'])(
    'turn an image as the %s says, and fall back on the image as it is',
    async (kind) => {
      const [page] = pagesOf((await run(`0040-image-rotation-service-manifest-${kind}`)).items)
      const places =
        page?.locator?.kind === 'alternatives' ? page.locator.places.map((place) => place.url) : []
      expect(places[0]).toMatch(/\/full\/max\/90\/default\.jpg$/)
      expect(places.at(-1)).toMatch(/\/0\/default\.jpg$/)
    },
  )

  it('cut a region out', async () => {
    const { items } = await run('0299-region')
    expect(pagesOf(items).map(addressOf)).toEqual([
      expect.stringContaining('/1768,2423,1768,2080/max/0/default.jpg'),
    ])
  })

  it('keep foldouts where they are', async () => {
    const { items } = await run('0035-foldouts')
    expect(
      pagesOf(items)
        .slice(0, 4)
        .map((page) => page.label),
    ).toEqual(['Front cover', 'Inside front cover', 'Foldout, folded', 'Foldout, unfolded'])
    expect(pagesOf(items)).toHaveLength(9)
  })

  it('have chapters from ranges, without the one that only holds the others', async () => {
    expect(chaptersOf((await run('0024-book-4-toc')).items)).toEqual([
      'Tabiba Tabiban [ጠቢበ ጠቢባን] @1',
      "Arede'et [አርድዕት] @3",
      '  Monday @3',
      '  Tuesday @5',
    ])
    expect(chaptersOf((await run('bodleian')).items)).toEqual(['LP 44 @1'])
  })

  it('leave out sound and film with a notice, and canvases that stand in for them', async () => {
    const { items, context } = await run('0489-multimedia-canvas')
    expect(pagesOf(items)).toHaveLength(1)
    expect(context.notices).toContainEqual(expect.stringContaining('Video, TextualBody is left out'))
    await expect(run('0013-placeholderCanvas')).rejects.toMatchObject({ code: 'ERR_SOURCE_EMPTY' })
  })

  it('give the ladder of a level 0 service with listed sizes, the file itself last', async () => {
    const [page] = pagesOf((await run('wikimedia-proxy')).items)
    const name = 'Gustave_Courbet_-_A_Burial_at_Ornans_-_Google_Art_Project_2.jpg'
    const service = `https://iiifmediawiki.herokuapp.com/image/a/a0/${name}`
    expect(page).toMatchObject({ expectedWidthPx: 6042, expectedHeightPx: 2777 })
    expect(page?.locator).toEqual({
      kind: 'alternatives',
      places: [
        ...['full', 'max', '6042,', '6042,2777'].map((word) => ({
          url: `${service}/full/${word}/0/default.jpg`,
        })),
        { url: `https://upload.wikimedia.org/wikipedia/commons/a/a0/${name}` },
      ],
    })
  })

  it('tell the density of the scan', async () => {
    const { items } = await run('iiif-fixture-manifest-with-dimensions')
    expect(pagesOf(items)).toEqual([
      {
        dpi: 400,
        label: 'Test 1 Canvas: 1',
        expectedWidthPx: 1200,
        expectedHeightPx: 1800,
        locator: {
          kind: 'mirrors',
          places: [{ url: 'http://iiif.io/api/presentation/2.1/example/fixtures/resources/page1-full.png' }],
        },
      },
    ])
  })

  it('mix versions of the Image API, old ones with the quality that they call native', async () => {
    const { items } = await run('thumbnails', { info: 'no' })
    const addresses = pagesOf(items).map(addressOf)
    expect(addresses).toHaveLength(7)
    expect(addresses.filter((address) => address?.endsWith('/native.jpg'))).toHaveLength(1)
    expect(
      addresses.every((address) => /\/full\/(?:full|max)\/0\/(?:default|native)\.jpg$/.test(address ?? '')),
    ).toBe(true)
  })

  it('prefer the higher of two services', async () => {
    const { items } = await run('bodleian')
    expect(pagesOf(items).map(addressOf)).toEqual([
      'https://iiif.bodleian.ox.ac.uk/iiif/image/012b1e0f-8c9e-48e7-83d6-5e51a70253b4/full/max/0/default.jpg',
    ])
  })

  it('are volumes of a series in a multi-part collection', async () => {
    const { items } = await run('0030-multi-volume-collection')
    const series = '青楼絵本年中行事 [Seirō ehon nenjū gyōji]'
    expect(items).toEqual(
      [1, 2].map((n) => ({
        type: 'link',
        input: {
          text: `https://iiif.io/api/cookbook/recipe/0030-multi-volume/manifest_v${n}.json`,
          source: 'iiif',
          options: { series, number: String(n) },
        },
        title: `巻 ${n} [Vol. ${n}]`,
        number: String(n),
      })),
    )
    const [book] = (await run('0030-multi-volume-manifest_v1', { series, number: '1' })).items
    expect(book).toMatchObject({
      type: 'book',
      book: { metadata: { series, number: '1', direction: 'rtl' } },
    })
  })

  it('are links without numbers in any other collection', async () => {
    const { items } = await run('biblissima-collection')
    expect(items).toHaveLength(12)
    expect(items[0]).toEqual({
      type: 'link',
      input: {
        text: 'https://gallica.bnf.fr/iiif/ark:/12148/btv1b7200024s/manifest.json',
        source: 'iiif',
        options: {},
      },
      title: 'BnF, Manuscrits, Allemand 305',
    })
  })

  it('are found behind a content state', async () => {
    const { items } = await run('0485-contentstate-canvas-region-annotation')
    expect(items).toEqual([
      { type: 'link', input: { text: expect.stringMatching(/manifest\.json$/), source: 'iiif' } },
    ])
  })

  it('are read from disk as well', async () => {
    const path = new URL('../fixtures/iiif/villanova-manifest.json', import.meta.url)
    for (const text of [path.href, path.pathname]) {
      expect(iiifSource.match({ text })?.confidence).toBeGreaterThan(0.5)
      expect(pagesOf((await extract(text, {})).items)).toHaveLength(2)
    }
  })
})

const shared = sharedFixtures('iiif')

if (shared !== undefined) {
  describe('more manifests of libraries (only where they lie beside the repository)', () => {
    const folder = shared
    const read = (path: string) => readFileSync(join(folder, path), 'utf8')

    it.each([
      ['presentation-2/nls-manifest-2', 152],
      ['presentation-2/loc', 55],
      ['presentation-2/scroll', 41],
      ['presentation-3/wellcome-p3-2', 36],
      ['presentation-2/ghent-omeka', 33],
      ['presentation-2/nga-manifest', 26],
      ['presentation-2/manifest-l0', 24],
      ['presentation-2/bl-manifest', 20],
      ['presentation-2/body-choice', 19],
      ['presentation-2/thumbnails', 7],
      ['presentation-2/wikimedia-proxy', 1],
    ])('%s has %d pages, each with an image', async (name, count) => {
      const { items } = await extract(url, { [url]: read(`${name}.json`) })
      const pages = pagesOf(items)
      expect(pages).toHaveLength(count)
      expect(items[0]).toMatchObject({ type: 'book', book: { pageCount: count } })
      expect(pages.every((page) => page.locator !== undefined)).toBe(true)
      // One of them shows one image twice; in all others no two pages ask for the same.
      expect(new Set(pages.map(addressOf)).size).toBe(name.endsWith('thumbnails') ? 6 : count)
    })

    it('asks for whole images where the manifest names small ones', async () => {
      for (const name of ['scroll', 'loc', 'manifest-l0']) {
        const { items } = await extract(url, { [url]: read(`presentation-2/${name}.json`) })
        expect(
          pagesOf(items)
            .map(addressOf)
            .every((one) => one?.endsWith('/full/full/0/default.jpg')),
        ).toBe(true)
      }
    })

    it('stops a collection of many pages where the next one is missing, after what it has', async () => {
      const text = read('presentation-2/paginated-collection-page.json')
      const context = recordedContext({ [url]: text })
      let links = 0
      const run = async (): Promise<void> => {
        for await (const item of iiifSource.extract({ text: url }, context)) if (item.type === 'link') links++
      }
      await expect(run()).rejects.toMatchObject({ code: 'ERR_HTTP_NOT_FOUND' })
      expect(links).toBe(250)
    })

    it('reads every document or says why not', async () => {
      const allowed = new Set(['ERR_SOURCE_PARSE', 'ERR_SOURCE_EMPTY', 'ERR_HTTP_NOT_FOUND'])
      for (const part of ['cookbook', 'presentation-2', 'presentation-3']) {
        if (!existsSync(join(folder, part))) continue
        for (const name of readdirSync(join(folder, part))) {
          const outcome = await extract(url, { [url]: read(`${part}/${name}`) }).then(
            ({ items }) => (items.length > 0 ? 'items' : 'nothing'),
            (error: unknown) =>
              error instanceof Error && 'code' in error ? String(error.code) : String(error),
          )
          expect(outcome === 'items' || allowed.has(outcome), `${name}: ${outcome}`).toBe(true)
        }
      }
    })
  })
}

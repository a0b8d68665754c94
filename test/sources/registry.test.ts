import { describe, expect, it } from 'vitest'
import { builtInSources, createSourceRegistry, imageListInput, type Source } from '../../src/sources/index.ts'

function source(name: string, confidence: number | undefined): Source {
  return {
    name,
    description: name,
    examples: [`${name}-example`],
    match: () => (confidence === undefined ? undefined : { confidence, kind: 'book' }),
    extract: () => ({
      [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: true, value: undefined }) }),
    }),
  }
}

describe('createSourceRegistry', () => {
  it('picks the best match, and the first by name among equals, however they are ordered', () => {
    const sources = [
      source('c', 0.5),
      source('b', 0.7),
      source('a', 0.5),
      source('d', 0.7),
      source('e', undefined),
    ]
    for (const order of [sources, sources.toReversed()]) {
      const registry = createSourceRegistry(order)
      expect(registry.pick({ text: 'x' }).source.name).toBe('b')
      expect(registry.list().map((one) => one.name)).toEqual(['a', 'b', 'c', 'd', 'e'])
    }
  })

  it('takes the source that the input names, even one that does not match', () => {
    const registry = createSourceRegistry([source('a', 0.9), source('e', undefined)])
    expect(registry.pick({ text: 'x', source: 'e' })).toMatchObject({
      source: { name: 'e' },
      match: { confidence: 0 },
    })
    expect(() => registry.pick({ text: 'x', source: 'z' })).toThrow(
      expect.objectContaining({ code: 'ERR_SOURCE_NO_MATCH', message: expect.stringContaining('a, e') }),
    )
  })

  it('says what would have been possible', () => {
    const registry = createSourceRegistry([source('a', undefined)])
    expect(() => registry.pick({ text: 'x' })).toThrow(
      expect.objectContaining({ code: 'ERR_SOURCE_NO_MATCH', hint: expect.stringContaining('a: a-example') }),
    )
  })

  it('refuses two of one name', () => {
    expect(() => createSourceRegistry([source('a', 1), source('a', 1)])).toThrow(
      expect.objectContaining({ code: 'ERR_CONFIG_INVALID' }),
    )
  })
})

describe('the built-in sources', () => {
  const registry = createSourceRegistry(builtInSources)

  it.each([
    ['https://example.org/page-[001-200].jpg', 'url-pattern'],
    ['https://example.org/page-1.jpg', 'url-pattern'],
    ['https://example.org/gallery.html', 'html'],
    ['https://example.org/scans/', 'html'],
    ['https://example.org/item/5', 'html'],
    ['https://example.org/iiif/2/manifest.json', 'iiif'],
    ['https://viewer.example.org/#?manifest=https://example.org/m', 'iiif'],
    ['https://example.org/data.json', 'iiif'],
    ['./book.json', 'iiif'],
    ['/home/me/my books/book.json', 'iiif'],
    ['pages.txt', 'image-list'],
    ['https://example.org/pages.txt', 'image-list'],
    [imageListInput(['https://example.org/1', 'https://example.org/2']).text, 'image-list'],
    [import.meta.dirname, 'folder'],
  ])('%j goes to %s', (text, name) => {
    expect(registry.pick({ text }).source.name).toBe(name)
  })

  it.each([
    '',
    'no such thing',
    'ftp://example.org/x',
    'magnet:?xt=1',
    'ftp://example.org/x.json',
    'mailto:a@b.c',
  ])('%j goes nowhere', (text) => {
    expect(() => registry.pick({ text })).toThrow(expect.objectContaining({ code: 'ERR_SOURCE_NO_MATCH' }))
  })

  it('match an example of their own', () => {
    for (const one of builtInSources) {
      if (one.name === 'folder') continue
      expect(
        one.examples.map((text) => one.match({ text })?.confidence ?? 0).every((c) => c > 0),
        one.name,
      ).toBe(true)
    }
  })
})

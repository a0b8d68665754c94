import { expect, test } from 'vitest'
import { chapterNumber } from '../../src/sources/chapter-number.ts'
import { volumeNumber, withVolumes } from '../../src/sources/chapter-volumes.ts'
import type { SourceItem } from '../../src/sources/source.ts'

test.each([
  ['Volume 2', 2, '2'],
  ['vol_03 ch 12', 3, '12'],
  ['Vol. 2 Ch. 13.5', 2, '13.5'],
  ['v01', 1, undefined],
  ['Series v02 (digital)', 2, undefined],
  ['Chapter 3 v2', undefined, '3'],
  ['Band 7', 7, '7'],
  ['第3巻', 3, undefined],
  ['Revolver 6', undefined, undefined],
  ['12', undefined, '12'],
])('%s', (title, volume, number) => {
  expect([volumeNumber(title), chapterNumber(title)]).toEqual([volume, number])
})

test('a chapter has the volume of its source, of its title, or of the heading above it', async () => {
  const headings = [
    { title: 'Volume 1', depth: 0 },
    { title: 'Chapter 1', depth: 1 },
    { title: 'Chapter 2', depth: 1, volume: 9 },
    { title: 'Afterword', depth: 0 },
    { title: 'Thanks', depth: 1 },
  ]
  async function* items(): AsyncGenerator<SourceItem> {
    yield { type: 'book', book: { id: 'b', metadata: { title: 'B' } } }
    for (const heading of headings) yield { type: 'chapter', chapter: { id: heading.title, ...heading } }
  }
  const given = await Array.fromAsync(withVolumes(items()))
  expect(given.flatMap((item) => (item.type === 'chapter' ? [item.chapter.volume] : []))).toEqual([
    1,
    1,
    9,
    undefined,
    undefined,
  ])
})

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  imageListInput,
  imageListSource,
  type SourceInput,
  type SourceItem,
} from '../../../src/sources/index.ts'
import { addressOf, describeSourceContract, pagesOf } from '../../contract/source.ts'
import { recordedContext } from '../recorded-context.ts'

const url = 'https://example.org/atlas/pages.txt'
const text = [
  '# an atlas',
  'https://example.org/atlas/2.jpg',
  'https://example.org/atlas/1.jpg\thttps://mirror.example.org/1.jpg',
  `  checksum=md5=${'0'.repeat(32)}`,
  '  referer=https://example.org/',
  'nonsense',
  'https://example.org/atlas/3.jpg',
].join('\n')
const expectedPages = [
  'https://example.org/atlas/2.jpg',
  'https://example.org/atlas/1.jpg',
  undefined,
  'https://example.org/atlas/3.jpg',
]

async function run(
  input: SourceInput,
): Promise<{ items: readonly SourceItem[]; notices: readonly string[] }> {
  const context = recordedContext({ [url]: text })
  const items: SourceItem[] = []
  for await (const item of imageListSource.extract(input, context)) items.push(item)
  return { items, notices: context.notices }
}

describeSourceContract('an image list at a URL', {
  source: imageListSource,
  input: { text: url },
  documents: { [url]: text },
  expectedPages,
  requestsBeforeFirstPage: 1,
})

describeSourceContract('an image list in memory', {
  source: imageListSource,
  input: imageListInput(['https://example.org/a/1.jpg', 'https://example.org/a/2.jpg']),
  documents: {},
  fetches: false,
  expectedPages: ['https://example.org/a/1.jpg', 'https://example.org/a/2.jpg'],
})

describe('imageListSource', () => {
  let dir = ''
  beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), 'trawl-image-list-'))))
  afterAll(() => rm(dir, { recursive: true, force: true }))

  it('reads a file by its path or URL', async () => {
    const path = join(dir, 'my atlas.txt')
    await writeFile(path, text)
    for (const where of [path, pathToFileURL(path).href]) {
      const { items } = await run({ text: where })
      expect(items[0]).toMatchObject({ type: 'book', book: { metadata: { title: 'my atlas' } } })
      expect(pagesOf(items).map(addressOf)).toEqual(expectedPages)
    }
  })

  it('does not read a file where paths may not be read', async () => {
    const items = imageListSource.extract(
      { text: join(dir, 'x.txt') },
      recordedContext({}, { localFiles: false }),
    )
    await expect(items[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'ERR_INPUT_UNREADABLE',
      message: expect.stringContaining('paths may not be read here'),
    })
  })

  it('keeps mirrors, checksums and headers, and the place of a line that is no URL', async () => {
    const { items } = await run({ text: url })
    expect(pagesOf(items)[1]).toEqual({
      locator: {
        kind: 'mirrors',
        places: [{ url: 'https://example.org/atlas/1.jpg' }, { url: 'https://mirror.example.org/1.jpg' }],
      },
      digests: [{ algorithm: 'md5', value: '0'.repeat(32) }],
      headers: { referer: 'https://example.org/' },
    })
    expect(pagesOf(items)[2]).toEqual({
      fault: {
        text: 'nonsense',
        error: expect.objectContaining({
          code: 'ERR_URL_INVALID',
          message: `${url}:6:1: "nonsense" is not a URL`,
        }),
      },
    })
  })

  it('refuses an empty list, a missing one and one of something else', async () => {
    await expect(run({ text: '# nothing\n\n' })).rejects.toMatchObject({ code: 'ERR_SOURCE_EMPTY' })
    await expect(run({ text: join(dir, 'none.txt') })).rejects.toMatchObject({ code: 'ERR_INPUT_UNREADABLE' })
    await expect(run({ text: 'a\nb\nc\n' })).rejects.toMatchObject({ code: 'ERR_SOURCE_PARSE' })
  })
})

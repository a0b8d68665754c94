import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { folderSource, type SourceItem } from '../../../src/sources/index.ts'
import { describeSourceContract } from '../../contract/source.ts'
import { recordedContext } from '../recorded-context.ts'

const root = await realpath(await mkdtemp(join(tmpdir(), 'trawl-folder-')))
afterAll(() => rm(root, { recursive: true, force: true }))

async function make(name: string, files: readonly string[]): Promise<string> {
  const folder = join(root, name)
  await mkdir(folder)
  for (const file of files) {
    await mkdir(join(folder, file, '..'), { recursive: true })
    await writeFile(join(folder, file), '')
  }
  return folder
}

async function run(
  text: string,
): Promise<{ names: readonly string[]; items: readonly SourceItem[]; notices: readonly string[] }> {
  const context = recordedContext({})
  const items: SourceItem[] = []
  for await (const item of folderSource.extract({ text }, context)) items.push(item)
  const names = items.map((item) => {
    if (item.type === 'page') return (item.page.localPath ?? '').slice(text.length + 1)
    return item.type === 'chapter' ? `${'#'.repeat(item.chapter.depth + 1)}${item.chapter.title}` : item.type
  })
  return { names, items, notices: context.notices }
}

const contractFolder = await make('contract', ['10.jpg', '9.PNG', 'cover.jpg', 'notes.txt'])

describeSourceContract('a folder', {
  source: folderSource,
  input: { text: contractFolder },
  documents: {},
  fetches: false,
  expectedPages: ['cover.jpg', '9.PNG', '10.jpg'].map((name) => join(contractFolder, name)),
})

describe('folderSource', () => {
  it('makes chapters of folders, in natural order, and leaves out what is hidden or empty', async () => {
    const folder = await make('comic', [
      'Chapter 10/1.jpg',
      'Chapter 2.5/b/1.webp',
      'Chapter 2.5/2.jpg',
      'empty/readme.md',
      '.git/x.jpg',
      '__MACOSX/1.jpg',
      '.hidden.jpg',
      'front.jpg',
    ])
    const { names, items, notices } = await run(folder)
    expect(names).toEqual([
      'book',
      'front.jpg',
      '#Chapter 2.5',
      'Chapter 2.5/2.jpg',
      '##b',
      'Chapter 2.5/b/1.webp',
      '#Chapter 10',
      'Chapter 10/1.jpg',
    ])
    expect(items[2]).toMatchObject({ chapter: { number: '2.5' } })
    expect(notices).toEqual([`${folder}: 1 file is left out as no image`])
  })

  it('follows links to files and folders, but not round in circles', async () => {
    const folder = await make('links', ['a/1.jpg'])
    await symlink(folder, join(folder, 'a', 'back'))
    await symlink(join(folder, 'a', '1.jpg'), join(folder, '0.jpg'))
    await symlink(join(folder, 'gone.jpg'), join(folder, 'broken.jpg'))
    expect((await run(folder)).names).toEqual(['book', '0.jpg', '#a', 'a/1.jpg'])
  })

  it('takes one image, a file: URL, and no other file', async () => {
    const folder = await make('single', ['one.jpg', 'two.txt'])
    const file = join(folder, 'one.jpg')
    expect(folderSource.match({ text: file })?.confidence).toBe(0.9)
    expect(folderSource.match({ text: pathToFileURL(folder).href })?.confidence).toBe(1)
    expect(folderSource.match({ text: join(folder, 'two.txt') })).toBeUndefined()
    expect((await run(file)).items[1]).toEqual({ type: 'page', page: { localPath: file } })
  })

  it('is refused where paths may not be read', async () => {
    const items = folderSource.extract({ text: contractFolder }, recordedContext({}, { localFiles: false }))
    await expect(items[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'ERR_INPUT_UNREADABLE' })
  })

  it('says when there is nothing', async () => {
    const folder = await make('nothing', ['readme.md'])
    await expect(run(folder)).rejects.toMatchObject({ code: 'ERR_SOURCE_EMPTY' })
    await expect(run(join(root, 'not there'))).rejects.toMatchObject({ code: 'ERR_INPUT_UNREADABLE' })
  })
})

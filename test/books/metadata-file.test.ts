import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readMetadataFile } from '../../src/books/index.ts'
import { tempFolders } from '../storage/temp-folder.ts'

const folder = tempFolders()

function file(name: string, text: string): string {
  const path = join(folder(), name)
  writeFileSync(path, text)
  return path
}

test('YAML and JSON with the fields of a book', async () => {
  const yaml = 'title: A work\nauthors: [B. C., D]\nnumber: 10.5\ndate: 1899\nvolume: 2\ndirection: rtl\n'
  const expected = {
    title: 'A work',
    authors: ['B. C.', 'D'],
    number: '10.5',
    date: '1899',
    volume: 2,
    direction: 'rtl',
  }
  expect(await readMetadataFile(file('m.yaml', yaml))).toEqual(expected)
  expect(await readMetadataFile(file('m.json', JSON.stringify(expected)))).toEqual(expected)
  expect(await readMetadataFile(file('one.yaml', 'authors: One\n'))).toEqual({ authors: ['One'] })
  expect(await readMetadataFile(file('none.yaml', 'title:\nseries: S\n'))).toEqual({ series: 'S' })
})

test('what --sidecar writes is taken, without its pages', async () => {
  const text = JSON.stringify({ title: 'T', extra: [{ label: 'a', value: 'b' }], pages: 3, missing: [] })
  expect(await readMetadataFile(file('T.json', text))).toEqual({
    title: 'T',
    extra: [{ label: 'a', value: 'b' }],
  })
})

test('ComicInfo.xml', async () => {
  const xml = '<ComicInfo><Title>T</Title><Writer>A, B</Writer><Manga>YesAndRightToLeft</Manga></ComicInfo>'
  expect(await readMetadataFile(file('ComicInfo.xml', xml))).toEqual({
    title: 'T',
    authors: ['A', 'B'],
    direction: 'rtl',
  })
  await expect(readMetadataFile(file('x.xml', '<a>'))).rejects.toMatchObject({
    code: 'ERR_CONFIG_UNREADABLE',
  })
})

test.each([
  ['tittle: T', 'tittle is no field of a book'],
  ['direction: up', 'direction has a value that it cannot have'],
  ['date: yesterday', 'date has'],
  ['authors: [{a: b}]', 'authors has'],
  ['volume: -1', 'volume has'],
])('%s is refused, naming the field', async (text, message) => {
  await expect(readMetadataFile(file('m.yaml', text))).rejects.toMatchObject({
    code: 'ERR_CONFIG_INVALID',
    message: expect.stringContaining(message) as string,
  })
})

test.each(['just text', '- a\n- b', 'a: [', 'a: &x [*x]', ''])('%j is no mapping', async (text) => {
  await expect(readMetadataFile(file('m.yaml', text))).rejects.toMatchObject({
    code: 'ERR_CONFIG_UNREADABLE',
  })
})

test('a file that is not there', async () => {
  const path = join(folder(), 'none.yaml')
  await expect(readMetadataFile(path)).rejects.toMatchObject({
    code: 'ERR_CONFIG_UNREADABLE',
    message: expect.stringContaining(path) as string,
  })
})

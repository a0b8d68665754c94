import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { findTables } from '../../../src/datasets/tables/index.ts'
import { tempFolder } from '../temp-folder.ts'

describe('findTables', () => {
  it('finds the tables of a folder in the order of their paths', async () => {
    const folder = tempFolder()
    mkdirSync(join(folder, 'b'))
    mkdirSync(join(folder, '_temporary'))
    for (const name of [
      'z.csv',
      'b/1.parquet',
      'a.jsonl.gz',
      'notes.md',
      '.hidden.csv',
      '_SUCCESS',
      '_temporary/x.csv',
    ]) {
      writeFileSync(join(folder, name), '')
    }
    const tables = await findTables([folder])
    expect(tables.map(({ name, format, compression }) => [name, format, compression])).toEqual([
      ['a.jsonl.gz', 'jsonl', 'gzip'],
      ['b/1.parquet', 'parquet', 'none'],
      ['z.csv', 'csv', 'none'],
    ])
    expect(await findTables([folder], { format: 'csv' })).toHaveLength(1)
  })

  it('takes the format that is given', async () => {
    const path = join(tempFolder(), 'table.dat')
    writeFileSync(path, '')
    await expect(findTables([path])).rejects.toMatchObject({ code: 'ERR_TABLE_FORMAT' })
    expect(await findTables([path], { format: 'tsv' })).toMatchObject([{ format: 'tsv' }])
  })

  it('refuses what is not there, empty folders and wrapped Parquet', async () => {
    const folder = tempFolder()
    await expect(findTables([join(folder, 'none.csv')])).rejects.toMatchObject({
      code: 'ERR_INPUT_UNREADABLE',
    })
    await expect(findTables([folder])).rejects.toMatchObject({ code: 'ERR_INPUT_UNREADABLE' })
    writeFileSync(join(folder, 'a.parquet.gz'), '')
    await expect(findTables([join(folder, 'a.parquet.gz')])).rejects.toMatchObject({
      code: 'ERR_TABLE_FORMAT',
    })
  })
})

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import {
  DateDay,
  Decimal,
  makeData,
  makeVector,
  Table,
  tableFromArrays,
  tableToIPC,
  vectorFromArray,
} from 'apache-arrow'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { tempFolder } from '../temp-folder.ts'
import { parquetTable, plan, plannedRows } from './plan-case.ts'

function table(name: string, content: string | Uint8Array): string {
  const path = join(tempFolder(), name)
  writeFileSync(path, content)
  return path
}

const fixture = (name: string): string => join(import.meta.dirname, '..', 'fixtures', name)

describe('tables that are read', () => {
  it.each([
    ['t.csv', 'url,caption,n\nhttp://a/1,"one, two",1\nhttp://a/2,,2\n'],
    ['t.tsv', 'url\tcaption\tn\nhttp://a/1\tone, two\t1\nhttp://a/2\t\t2\n'],
    ['t.jsonl', '{"url":"http://a/1","caption":"one, two","n":1}\n{"n":2,"url":"http://a/2"}\n'],
    ['t.json', '[{"url":"http://a/1","caption":"one, two","n":1},\n{"n":2,"url":"http://a/2"}]'],
  ])('%s, plain, in gzip and in zstd', async (name, text) => {
    for (const path of [
      table(name, text),
      table(`${name}.gz`, gzipSync(text)),
      table(`${name}.zst`, zstdCompressSync(text)),
    ]) {
      const rows = await plannedRows({ tables: [path], captionCol: 'caption', saveColumns: ['n'] })
      expect(rows).toEqual([
        { key: '000000', index: 0, url: 'http://a/1', caption: 'one, two', columns: { n: 1n } },
        { key: '000001', index: 1, url: 'http://a/2', caption: null, columns: { n: 2n } },
      ])
    }
  })

  it('plain lists', async () => {
    const rows = await plannedRows({
      tables: [table('urls.txt', '# urls\nhttp://a/1,2\r\n\n  http://a/3\n')],
    })
    expect(rows.map((row) => row.url)).toEqual(['http://a/1,2', 'http://a/3'])
  })

  it('Parquet, with its types', async () => {
    const path = await parquetTable(
      join(tempFolder(), 't.parquet'),
      [
        { name: 'url', type: 'string' },
        { name: 'small', type: 'int32' },
        { name: 'score', type: 'double' },
        { name: 'ok', type: 'boolean' },
      ],
      [
        ['http://a/1', 5, 0.5, true],
        ['http://a/2', null, null, null],
      ],
    )
    const rows = await plannedRows({ tables: [path], saveColumns: ['score', 'ok', 'small'] })
    expect(rows.map((row) => row.columns)).toEqual([
      { score: 0.5, ok: true, small: 5 },
      { score: null, ok: null, small: null },
    ])
  })

  it.each(['stream', 'file'] as const)('Arrow IPC (%s)', async (type) => {
    const arrow = tableFromArrays({
      url: ['http://a/1', 'http://a/2'],
      n: BigInt64Array.of(1n, 2n ** 60n),
      score: Float64Array.of(0.5, 1),
    })
    const path = table('t.arrow', tableToIPC(arrow, type))
    const rows = await plannedRows({ tables: [path], saveColumns: ['n', 'score'] })
    expect(rows.map((row) => [row.url, row.columns])).toEqual([
      ['http://a/1', { n: 1n, score: 0.5 }],
      ['http://a/2', { n: 2n ** 60n, score: 1 }],
    ])
  })

  it('Arrow decimals and dates', async () => {
    const words = new Uint32Array([12_345, 0, 0, 0, 0xffff_ffce, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff])
    const arrow = new Table({
      url: vectorFromArray(['http://a/1', 'http://a/2']),
      price: makeVector(makeData({ type: new Decimal(2, 38), data: words, length: 2 })),
      day: vectorFromArray([new Date('2024-02-29'), null], new DateDay()),
    })
    const rows = await plannedRows({
      tables: [table('t.arrow', tableToIPC(arrow, 'file'))],
      saveColumns: ['price', 'day'],
    })
    expect(rows.map((row) => row.columns)).toEqual([
      { price: 123.45, day: '2024-02-29' },
      { price: -0.5, day: null },
    ])
  })

  it('refuses compressed Arrow IPC with a sentence', async () => {
    await expect(plan({ tables: [fixture('zstd.arrow')] })).rejects.toMatchObject({
      code: 'ERR_TABLE_FORMAT',
      message:
        'zstd.arrow: the buffers of this Arrow table are compressed (LZ4 or ZSTD), which trawl does not read',
    })
  })

  it('CSV in UTF-16', async () => {
    const bytes = Buffer.concat([
      Buffer.from([0xff, 0xfe]),
      Buffer.from('url,caption\nhttp://a/é,x\n', 'utf16le'),
    ])
    const rows = await plannedRows({ tables: [table('t.csv', bytes)], captionCol: 'caption' })
    expect(rows).toMatchObject([{ url: 'http://a/é', caption: 'x' }])
  })

  it('tables whose path reads as a pattern', async () => {
    const rows = await plannedRows({ tables: [table('t[1]*.csv', 'url\nhttp://a/1\n')] })
    expect(rows).toHaveLength(1)
  })

  it('several tables of different kinds, with types that fit all', async () => {
    const parquet = await parquetTable(
      join(tempFolder(), 'b.parquet'),
      [
        { name: 'url', type: 'string' },
        { name: 'n', type: 'double' },
      ],
      [['http://b/1', 1.5]],
    )
    const csv = table('a.csv', 'n,url\n1,http://a/1\n')
    const rows = await plannedRows({ tables: [csv, parquet, csv], saveColumns: ['n'] })
    expect(rows.map((row) => [row.url, row.columns['n']])).toEqual([
      ['http://a/1', 1],
      ['http://b/1', 1.5],
      ['http://a/1', 1],
    ])
  })

  it('a folder of Parquet tables, in the order of their names, with different columns', async () => {
    const folder = tempFolder()
    for (let file = 0; file < 12; file++) {
      const extra = file % 2 === 0 ? [] : [{ name: 'extra', type: 'double' } as const]
      await parquetTable(
        join(folder, `${String(file).padStart(2, '0')}.parquet`),
        [...extra, { name: 'url', type: 'string' }, { name: 'n', type: 'int32' }],
        [0, 1, 2].map((i) => [
          ...extra.map(() => 0.5),
          file === 7 && i === 1 ? null : `http://h/${file}/${i}`,
          file * 3 + i,
        ]),
      )
    }
    const rows = await plannedRows({ tables: [folder], saveColumns: ['n'], where: 'n <> 4' })
    expect(rows.map((row) => row.columns['n'])).toEqual(
      Array.from({ length: 36 }, (_, i) => i).filter((i) => i !== 4),
    )
    expect(rows.flatMap((row) => row.inputError ?? [])).toEqual(["07.parquet, row 2, column 'url': empty"])
  })

  it.each([
    ['t.csv', 'url,long,ratio\nhttp://a/1,12345678901234567890123,1.5\nhttp://a/2,9007199254740993,2\n'],
    [
      't.jsonl',
      '{"url":"http://a/1","long":12345678901234567890123,"ratio":1.5}\n{"url":"http://a/2","long":9007199254740993,"ratio":2}\n',
    ],
  ])('%s: long numbers keep all their digits', async (name, text) => {
    const rows = await plannedRows({ tables: [table(name, text)], saveColumns: ['long', 'ratio'] })
    expect(rows.map((row) => row.columns)).toEqual([
      { long: '12345678901234567890123', ratio: 1.5 },
      { long: '9007199254740993', ratio: 2 },
    ])
  })

  it.each([
    ['t.csv', 'file_row_number,url,file_index,__k\nx,http://a/1,y,7\nx,http://a/2,y,8\n'],
    ['bad.csv', 'file_row_number,url,file_index,__k\nx,http://a/1,y,7\nx,http://a/2,y,8\ntorn\n'],
    [
      't.jsonl',
      '{"file_row_number":"x","url":"http://a/1","file_index":"y","__k":7}\n{"file_row_number":"x","url":"http://a/2","file_index":"y","__k":8}\n',
    ],
  ])('%s: columns with the names that DuckDB and the plan give their own', async (name, text) => {
    const options = { tables: [table(name, text)], saveColumns: ['file_row_number', 'file_index', '__k'] }
    const rows = await plannedRows({ ...options, where: "file_row_number = 'x'" })
    expect(rows.slice(0, 2).map((row) => row.columns)).toEqual([
      { file_row_number: 'x', file_index: 'y', __k: 7n },
      { file_row_number: 'x', file_index: 'y', __k: 8n },
    ])
    await expect(plan({ ...options, saveColumns: ['__trawl_problem'] })).rejects.toMatchObject({
      code: 'ERR_CONFIG_INVALID',
    })
  })

  it('keeps leading zeros and mixed columns as text', async () => {
    const path = table('t.csv', 'url,id,mixed,flag\nhttp://a/1,007,1,true\nhttp://a/2,010,x,False\n')
    const rows = await plannedRows({ tables: [path], saveColumns: ['id', 'mixed', 'flag'] })
    expect(rows.map((row) => row.columns)).toEqual([
      { id: '007', mixed: '1', flag: true },
      { id: '010', mixed: 'x', flag: false },
    ])
  })
})

describe('tables with bad rows', () => {
  it('CSV: every row stays, with file, row and column', async () => {
    const bytes = Buffer.concat([
      Buffer.from('url,caption\nhttp://a/1,x\nhttp://a/2\nhttp://a/3,caf'),
      Buffer.from([0xe9]),
      Buffer.from('\n,no url\nhttp://a/5,"y"\n'),
    ])
    const path = table('bad.csv', bytes)
    const { manifest } = await plan({ tables: [path], captionCol: 'caption' })
    expect(manifest.parts[0]).toMatchObject({ readCount: 5, rowCount: 5, problemCount: 3 })
    const rows = await plannedRows({ tables: [path], captionCol: 'caption' })
    expect(rows.map((row) => row.inputError)).toEqual([
      undefined,
      "bad.csv, row 2 (line 3), column 'caption': missing: the row has 1 of 2 columns",
      "bad.csv, row 3 (line 4), column 'caption': not valid UTF-8",
      "bad.csv, row 4, column 'url': empty",
      undefined,
    ])
  })

  it('good rows read the same beside a bad one as without it', async () => {
    const good =
      'url,caption,n\r\nhttp://a/1,"a ""b"", c",\r\n"http://a/2",,"2"\r\n\r\nhttp://a/3,"two\r\nlines", 3\r\n'
    const options = { captionCol: 'caption', saveColumns: ['n'] }
    const clean = await plannedRows({ tables: [table('t.csv', good)], ...options })
    const beside = await plannedRows({ tables: [table('t.csv', `${good}torn\r\n`)], ...options })
    expect(clean.map((row) => row.caption)).toEqual(['a "b", c', null, 'two\r\nlines'])
    expect(beside.slice(0, 3)).toEqual(clean)
    expect(beside).toHaveLength(4)
  })

  it('JSON Lines: every line stays', async () => {
    const path = table('bad.jsonl', '{"url":"http://a/1","n":1}\n{"url":\n[2]\n{"n":4}\n')
    const rows = await plannedRows({ tables: [path], saveColumns: ['n'] })
    expect(rows.map((row) => [row.columns['n'], row.inputError?.replace(/JSON: .*/, 'JSON')])).toEqual([
      [1n, undefined],
      [null, 'bad.jsonl, row 2 (line 2): not valid JSON'],
      [null, 'bad.jsonl, row 3 (line 3): not a JSON object'],
      [4n, "bad.jsonl, row 4, column 'url': empty"],
    ])
  })

  it('Parquet: a text that is not UTF-8 spoils one row', async () => {
    const rows = await plannedRows({ tables: [fixture('latin1.parquet')], saveColumns: ['n'] })
    expect(rows.map((row) => [row.columns['n'], row.inputError])).toEqual([
      [1n, undefined],
      [2n, "latin1.parquet, row 2, column 'url': not valid UTF-8"],
      [3n, undefined],
    ])
  })

  it('rows in are rows out, whatever is in the lines', async () => {
    const line = fc.oneof(
      fc.webUrl().map((url) => `${url.replaceAll(',', '')},caption`),
      fc.constantFrom('torn', 'a,b,c', 'x,"y"z', ',', '"q",""'),
      fc
        .string({ minLength: 1 })
        .map((text) => text.replaceAll(/["\r\n\0]/g, '_'))
        .filter((text) => text.trim() !== ''),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 12 }), async (lines) => {
        const rows = await plannedRows({ tables: [table('t.csv', `url,caption\n${lines.join('\n')}\n`)] })
        expect(rows).toHaveLength(lines.length)
      }),
      { numRuns: 10 },
    )
  })

  it('a missing column, a damaged file and damaged compression stop the plan', async () => {
    await expect(plan({ tables: [table('t.csv', 'link,alt\nx,y\n')] })).rejects.toMatchObject({
      code: 'ERR_TABLE_COLUMN',
      message: "t.csv has no column 'url'; it has: link, alt",
    })
    await expect(plan({ tables: [table('t.parquet', 'no')] })).rejects.toMatchObject({
      code: 'ERR_INPUT_UNREADABLE',
    })
    await expect(plan({ tables: [table('t.arrow', 'no')] })).rejects.toMatchObject({
      code: 'ERR_INPUT_UNREADABLE',
    })
    await expect(plan({ tables: [table('u.json', '[{"url":1},{"url" 2}]')] })).rejects.toMatchObject({
      code: 'ERR_INPUT_UNREADABLE',
    })
    await expect(plan({ tables: [table('t.json', '[{"url":1},')] })).rejects.toMatchObject({
      code: 'ERR_INPUT_UNREADABLE',
    })
    const whole = gzipSync('url\nhttp://a/1\nhttp://a/2\n')
    for (const name of ['cut.csv.gz', 'flipped.csv.gz']) {
      const bytes = name === 'cut.csv.gz' ? whole.subarray(0, -8) : Buffer.from(whole)
      if (name === 'flipped.csv.gz') bytes[whole.length - 8] = (bytes[whole.length - 8] ?? 0) ^ 0xff
      await expect(plan({ tables: [table(name, bytes)] })).rejects.toMatchObject({
        code: 'ERR_INPUT_UNREADABLE',
      })
    }
  })
})

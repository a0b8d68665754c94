import { describe, expect, it } from 'vitest'
import { jsonlColumns, jsonlRows, listRows } from '../../../src/datasets/tables/line-rows.ts'

async function* inChunks(text: string | Buffer, size = 5): AsyncIterableIterator<Buffer> {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const out: T[] = []
  for await (const item of items) out.push(item)
  return out
}

describe('listRows', () => {
  it('gives URLs without comments and blank lines, and tells bad lines', async () => {
    const text = Buffer.concat([
      Buffer.from('# list\r\n http://a/1,2 \r\n\r\n'),
      Buffer.from([0xff]),
      Buffer.from('\nhttp://a/3'),
    ])
    const rows = (await collect(listRows(inChunks(text), 'url'))).flat()
    expect(rows).toEqual([
      { values: ['http://a/1,2'] },
      { values: [null], problem: { line: 4, column: 'url', reason: 'not valid UTF-8' } },
      { values: ['http://a/3'] },
    ])
  })
})

describe('jsonlRows', () => {
  it('gives texts with the types of their values', async () => {
    const text =
      '{"a":"x","b":1}\n\n{"a":null,"b":[1,{"c":2}]}\n{"b":2.5}\n{"a":true,"b":12345678901234567890}\n'
    const rows = (await collect(jsonlRows(inChunks(text), ['a', 'b']))).flat()
    expect(rows.map((row) => row.values)).toEqual([
      ['x', 'VARCHAR', '1', 'BIGINT'],
      [null, null, '[1,{"c":2}]', 'ARRAY'],
      [null, null, '2.5', 'DOUBLE'],
      ['true', 'BOOLEAN', '12345678901234567890', 'BIGINT'],
    ])
  })

  it('tells lines that are no objects', async () => {
    const rows = (await collect(jsonlRows(inChunks('{"a":1}\n{"a":\n[1]\nnull\n'), ['a']))).flat()
    expect(rows.map((row) => row.problem?.line)).toEqual([undefined, 2, 3, 4])
    expect(rows[1]?.problem?.reason).toMatch(/^not valid JSON: /)
    expect(rows[2]?.problem?.reason).toBe('not a JSON object')
  })

  it('finds the fields of the first lines', async () => {
    expect(await jsonlColumns(inChunks('{"a":1}\n{"b":1,"a":2}\n{"c":1}\n'), 2)).toEqual(['a', 'b'])
  })
})

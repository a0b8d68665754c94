import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { csvHeader, csvRows } from '../../../src/datasets/tables/csv-rows.ts'
import type { TableRow } from '../../../src/datasets/tables/table-row.ts'

async function* inChunks(bytes: Buffer, size: number): AsyncIterableIterator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function read(
  text: string | Buffer,
  header: string[],
  options: { chunk?: number; delimiter?: string } = {},
) {
  const bytes = Buffer.isBuffer(text) ? text : Buffer.from(text)
  const rows: TableRow[] = []
  const chunks = inChunks(bytes, options.chunk ?? 64)
  for await (const batch of csvRows(chunks, {
    delimiter: options.delimiter ?? ',',
    header,
    columns: header,
  })) {
    rows.push(...batch)
  }
  return rows
}

function encodeCell(value: string | null): string {
  if (value === null) return ''
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value
}

function encode(rows: (string | null)[][], eol: string): string {
  return rows.map((row) => row.map(encodeCell).join(',') + eol).join('')
}

describe('csvRows', () => {
  it('gives back what was written, whatever the chunks', async () => {
    const value = fc.oneof(
      fc.constant(null),
      fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !text.includes('\0')),
      fc.stringMatching(/^[",\r\n ab]{1,8}$/),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(value, value, value), { maxLength: 20 }),
        fc.integer({ min: 1, max: 40 }),
        fc.constantFrom('\n', '\r\n'),
        async (rows, chunk, eol) => {
          const kept = rows.filter((row) => row.some((cell) => cell !== null))
          const found = await read(encode([['a', 'b', 'c'], ...kept], eol), ['a', 'b', 'c'], { chunk })
          expect(found.map((row) => row.values)).toEqual(kept)
          expect(found.every((row) => row.problem === undefined)).toBe(true)
        },
      ),
      { numRuns: 200 },
    )
  })

  it('keeps a row for every torn line and names line and column', async () => {
    const text = 'u,c\nx,1\ny\nz,1,2\n"open,3\nw,"a"b\nv,4\n'
    const rows = await read(text, ['u', 'c'])
    expect(rows.map((row) => row.values[0])).toEqual(['x', 'y', 'z', '"open', 'w', 'v'])
    expect(rows.map((row) => row.problem)).toEqual([
      undefined,
      { line: 3, column: 'c', reason: 'missing: the row has 1 of 2 columns' },
      { line: 4, reason: 'the row has 3 columns, the header 2' },
      { line: 5, column: 'u', reason: 'there is text after a closing quote' },
      { line: 6, column: 'c', reason: 'there is text after a closing quote' },
      undefined,
    ])
  })

  it('takes an open quote at the end of the file as one bad row', async () => {
    const rows = await read('u,c\n"open,1\nx,2\n', ['u', 'c'])
    expect(rows.map((row) => [row.values[0], row.problem?.reason])).toEqual([
      ['"open', 'a quote is not closed'],
      ['x', undefined],
    ])
  })

  it('takes a quote that another row closes as one bad row', async () => {
    const rows = await read('u,c\na,"open\nb,2\nc,"x"\nd,4\n', ['u', 'c'])
    expect(rows.map((row) => [row.values[0], row.problem !== undefined])).toEqual([
      ['a', true],
      ['b', false],
      ['c', false],
      ['d', false],
    ])
  })

  it('names the column that is not UTF-8', async () => {
    const bytes = Buffer.concat([Buffer.from('u,c\nx,'), Buffer.from([0xe9]), Buffer.from('\ny,2\n')])
    const rows = await read(bytes, ['u', 'c'], { chunk: 3 })
    expect(rows[0]?.problem).toEqual({ line: 2, column: 'c', reason: 'not valid UTF-8' })
    expect(rows[1]).toEqual({ values: ['y', '2'] })
  })

  it('passes over blank lines, but not in a table of one column', async () => {
    expect(await read('u,c\n\nx,1\n\n', ['u', 'c'])).toHaveLength(1)
    expect(await read('u\n\nx\n', ['u'])).toEqual([{ values: [null] }, { values: ['x'] }])
  })

  it('gives up on a record of more than 4 MiB and goes on at the next line', async () => {
    const rows = await read(`u,c\n${'x'.repeat(5 * 1024 * 1024)},1\ny,2\n`, ['u', 'c'], {
      chunk: 1024 * 1024,
    })
    expect(rows.map((row) => row.problem?.reason)).toEqual([
      'longer than 4 MiB, or a quote is not closed',
      undefined,
    ])
    expect(rows[1]?.values).toEqual(['y', '2'])
  })

  it('reads headers with quotes', async () => {
    expect(await csvHeader(inChunks(Buffer.from('"a ""x""",b c\n1,2\n'), 4), ',')).toEqual(['a "x"', 'b c'])
    expect(await csvHeader(inChunks(Buffer.alloc(0), 4), ',')).toEqual([])
  })
})

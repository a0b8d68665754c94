import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { afterEach, expect, it } from 'vitest'
import { FileJournal } from '../../src/storage/index.ts'

// A reader of the journal that knows nothing but docs/formats.md.

const folder = mkdtempSync(join(tmpdir(), 'trawl-format-'))
const a = '000102030405060708090a0b0c0d0e0f'
const b = 'ffeeddccbbaa99887766554433221100'

afterEach(() => rmSync(folder, { recursive: true, force: true }))

it('is as docs/formats.md says, byte by byte', () => {
  const path = join(folder, 'journal')
  const journal = new FileJournal({ path })
  const validators = { 'http://h': { etag: '"1"' } }
  const error = { code: 'ERR_HTTP_NOT_FOUND', message: 'no such file' } as const
  journal.named({ id: a, ordinal: 7, path: 'ä/x.jpg', input: 'http://h/x.jpg' })
  journal.checkpoint({ id: a, generation: 2, lengthBytes: 9, extents: [{ start: 0, end: 4 }], validators })
  journal.intent({
    id: a,
    generation: 2,
    path: 'ä/x.jpg',
    lengthBytes: 9,
    crc32: 0xdeadbeef,
    facts: { attempts: 2 },
  })
  journal.done(a)
  journal.failed({ id: b, ordinal: 8, input: 'http://h/y', attempts: 1, error, httpStatus: 404 })
  journal.forget(b)
  journal.close()

  const bytes = readFileSync(path)
  expect(bytes.toString('latin1', 0, 8)).toBe('TRAWLJNL')
  expect(bytes.readUInt32LE(8)).toBe(1)
  expect(bytes.readUInt32LE(12)).toBe(crc32(bytes.subarray(0, 12)))

  const records = readRecords(bytes)
  const offsetOf = (type: number): number => records.find((record) => record.type === type)?.offset ?? -1
  expect(records.map(({ type, fields }) => [type, ...fields])).toEqual([
    [1, a, 7, 'ä/x.jpg', 'http://h/x.jpg'],
    [2, a, offsetOf(1), 2, { length: 9, extents: [[0, 4]], validators }],
    [3, a, offsetOf(1), 2, 9, 0xdeadbeef, 'ä/x.jpg', { attempts: 2 }],
    [4, a, offsetOf(3)],
    [5, b, -1, { ordinal: 8, input: 'http://h/y', attempts: 1, error, httpStatus: 404 }],
    [6, b],
  ])
})

interface ReadRecord {
  readonly offset: number
  readonly type: number
  readonly fields: readonly unknown[]
}

/** Payloads by type: i is an id, f a float64, u a uint32, t a text, j JSON. */
const layouts: Readonly<Record<number, string>> = {
  1: 'iftt',
  2: 'ifuj',
  3: 'ifufutj',
  4: 'if',
  5: 'ifj',
  6: 'i',
}

function readRecords(bytes: Buffer): ReadRecord[] {
  const records: ReadRecord[] = []
  for (let at = 16; at < bytes.length;) {
    const end = at + 9 + bytes.readUInt32LE(at)
    expect(bytes.readUInt32LE(at + 4)).toBe(crc32(bytes.subarray(at + 8, end)))
    const type = bytes[at + 8] ?? 0
    records.push({ offset: at, type, fields: readFields(bytes.subarray(at + 9, end), layouts[type] ?? '') })
    at = end
  }
  return records
}

function readFields(payload: Buffer, layout: string): unknown[] {
  let at = 0
  const take = (length: number): Buffer => payload.subarray(at, (at += length))
  const text = (): string => take(take(4).readUInt32LE()).toString('utf8')
  const fields = layout.split('').map((kind): unknown => {
    if (kind === 'i') return take(16).toString('hex')
    if (kind === 'f') return take(8).readDoubleLE()
    if (kind === 'u') return take(4).readUInt32LE()
    return kind === 't' ? text() : JSON.parse(text())
  })
  expect(at).toBe(payload.length)
  return fields
}

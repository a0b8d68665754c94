import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/core/index.ts'
import { SegmentTable } from '../../../src/engine/segments/segment-table.ts'
import { SegmentWriter } from '../../../src/engine/segments/segment-writer.ts'
import { UnsavedBytes } from '../../../src/engine/segments/unsaved-bytes.ts'
import type { Sink } from '../../../src/storage/index.ts'
import { body } from '../../../src/testing/index.ts'

const mebibyte = 1024 * 1024
const file = body('kept', 8 * mebibyte)

/** Of a file of which all bytes are there. */
function sinkOf(read: () => void): Sink {
  return {
    properties: { randomAccess: true, durable: true, readable: true },
    open: (kept) => kept,
    write: () => {},
    read: (offset, lengthBytes) => {
      read()
      return file.read(offset, offset + lengthBytes)
    },
    checkpoint: () => [],
    reset: () => {},
    commit: () => {},
    abort: () => [],
  }
}

function writerOf(read: () => void): { readonly table: SegmentTable; readonly sut: SegmentWriter } {
  const table = new SegmentTable(file.sizeBytes)
  const sut = new SegmentWriter({
    table,
    sink: sinkOf(read),
    generation: 1,
    unsaved: new UnsavedBytes(systemClock),
    onCheckpoint: () => {},
  })
  return { table, sut }
}

describe('bytes of an earlier run', () => {
  const whole = [{ start: 0, end: file.sizeBytes }]

  it('are summed while others have their turns', async () => {
    let turns = 0
    let between = 0
    let lastTurn = -1
    const { table, sut } = writerOf(() => {
      if (lastTurn !== turns) between++
      lastTurn = turns
    })
    let stop = false
    const goOn = (): void => {
      turns++
      if (!stop) setImmediate(goOn)
    }
    goOn()
    await sut.resume(whole, () => false)
    stop = true
    expect(table.crc32).toBe(crc32(file.bytes()))
    // Never two mebibytes without a turn of somebody else.
    expect(between).toBe(8)
  })

  it('are not read on when nobody wants them any more', async () => {
    let reads = 0
    const { table, sut } = writerOf(() => reads++)
    await sut.resume(whole, () => reads === 3)
    expect([reads, table.isDone]).toEqual([3, false])
  })
})

import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Extent, PieceHashes, TrawlError } from '../../../src/core/index.ts'
import {
  checkPieceCount,
  PieceCheck,
  withoutExtents,
  WrongPiecesError,
} from '../../../src/engine/verify/index.ts'
import { body } from '../../../src/testing/index.ts'

const file = body('pieces', 1000).bytes()

function piecesOf(bytes: Buffer, pieceBytes: number): PieceHashes {
  const values: string[] = []
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    values.push(
      createHash('sha1')
        .update(bytes.subarray(at, at + pieceBytes))
        .digest('hex'),
    )
  }
  return { algorithm: 'sha-1', pieceBytes, values }
}

function thrownBy(run: () => void): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  return undefined
}

function check(pieces: PieceHashes, bytes: Buffer, cuts: readonly number[] = []): unknown {
  const sut = new PieceCheck(pieces, 'http://a.example/f')
  let at = 0
  for (const cut of [...cuts.toSorted((a, b) => a - b), bytes.length]) {
    sut.update(bytes.subarray(at, cut))
    at = cut
  }
  return thrownBy(() => sut.end())
}

const cuts = fc.array(fc.nat(1000), { maxLength: 8 })

describe('pieces', () => {
  it('are right however the bytes come', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1200 }), cuts, (pieceBytes, at) => {
        expect(check(piecesOf(file, pieceBytes), file, at)).toBeUndefined()
      }),
    )
  })

  it('that are wrong are found, all of them and no others', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1200 }),
        fc.uniqueArray(fc.nat(999), { minLength: 1, maxLength: 5 }),
        cuts,
        (pieceBytes, flipped, at) => {
          const bytes = Buffer.from(file)
          for (const each of flipped) bytes[each] = (bytes[each] ?? 0) ^ 1
          const error = check(piecesOf(file, pieceBytes), bytes, at)
          const wrong = [...new Set(flipped.map((each) => Math.floor(each / pieceBytes)))].toSorted(
            (a, b) => a - b,
          )
          expect((error as WrongPiecesError).extents).toEqual(
            wrong.map((each) => ({ start: each * pieceBytes, end: Math.min(1000, (each + 1) * pieceBytes) })),
          )
        },
      ),
    )
  })

  it('that are wrong are named', () => {
    const bytes = Buffer.from(file)
    for (const at of [300, 999]) bytes[at] = (bytes[at] ?? 0) ^ 1
    const error = check(piecesOf(file, 300), bytes) as TrawlError
    const got = piecesOf(bytes, 300).values[1]
    const wanted = piecesOf(file, 300).values[1]
    expect(error).toBeInstanceOf(WrongPiecesError)
    expect(error.code).toBe('ERR_DIGEST_MISMATCH')
    expect(error.message).toBe(
      `piece 2 of 4 (bytes 300-599) is wrong: its sha-1 is ${got}, expected ${wanted}; 1 more piece is wrong`,
    )
  })

  it('of a file of another length are not compared', () => {
    const pieces = piecesOf(file, 300)
    for (const lengthBytes of [900, 1201]) {
      const message = `4 pieces of 300 bytes are expected, the file has ${lengthBytes} bytes`
      expect(thrownBy(() => checkPieceCount(pieces, lengthBytes, ''))).toMatchObject({
        code: 'ERR_LENGTH_MISMATCH',
        message,
      })
    }
    for (const lengthBytes of [901, 1000, 1200]) {
      expect(thrownBy(() => checkPieceCount(pieces, lengthBytes, ''))).toBeUndefined()
    }
    expect(check(pieces, file.subarray(0, 900))).toMatchObject({ code: 'ERR_LENGTH_MISMATCH' })
  })
})

describe('extents without others', () => {
  it('have every byte that is in the first and in none of the others', () => {
    const extents = fc
      .uniqueArray(fc.nat(60), { maxLength: 12 })
      .map((marks) => marks.toSorted((a, b) => a - b))
      .map((marks) =>
        marks.flatMap((start, i): Extent[] => {
          const end = marks[i + 1]
          return i % 2 === 0 && end !== undefined ? [{ start, end }] : []
        }),
      )
    const has = (all: readonly Extent[], at: number): boolean =>
      all.some(({ start, end }) => start <= at && at < end)
    fc.assert(
      fc.property(extents, extents, (all, without) => {
        const left = withoutExtents(all, without)
        for (let at = 0; at < 61; at++) expect(has(left, at)).toBe(has(all, at) && !has(without, at))
      }),
    )
  })
})

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hammingDistance, perceptualHash } from '../../src/images/index.ts'
import { codeOf, fromRaw, noise } from './fixtures.ts'

/** A scene of soft blotches; `seed` makes other scenes. */
function scene(seed: number): Buffer {
  const spots = noise(13, 9, 1, seed * 977).map((value) => (value * 37) & 255)
  const pixels = Buffer.alloc(300 * 200 * 3)
  for (let y = 0; y < 200; y++) {
    for (let x = 0; x < 300; x++) {
      const [column, row] = [Math.floor(x / 25), Math.floor(y / 25)]
      const [right, down] = [x / 25 - column, y / 25 - row]
      const at = (c: number, r: number): number => spots[r * 13 + c]!
      const above = at(column, row) * (1 - right) + at(column + 1, row) * right
      const below = at(column, row + 1) * (1 - right) + at(column + 1, row + 1) * right
      pixels.fill(Math.round(above * (1 - down) + below * down), (y * 300 + x) * 3, (y * 300 + x) * 3 + 3)
    }
  }
  return pixels
}

function hex(value: bigint): string {
  return value.toString(16).padStart(16, '0')
}

describe.each(['dhash', 'phash'] as const)('perceptualHash %s', (kind) => {
  it('hardly changes when the image is scaled or encoded anew, and differs for other images', async () => {
    const original = await perceptualHash(await fromRaw(scene(1), 300, 200).png().toBuffer(), kind)
    expect(original).toMatch(/^[0-9a-f]{16}$/)
    const variants = [
      await fromRaw(scene(1), 300, 200).jpeg({ quality: 40 }).toBuffer(),
      await fromRaw(scene(1), 300, 200).resize(120).webp({ quality: 60 }).toBuffer(),
      await fromRaw(scene(1), 300, 200).modulate({ brightness: 1.1 }).png().toBuffer(),
    ]
    for (const variant of variants) {
      expect(hammingDistance(original, await perceptualHash(variant, kind))).toBeLessThanOrEqual(6)
    }
    for (const seed of [2, 3, 4, 5]) {
      const other = await perceptualHash(await fromRaw(scene(seed), 300, 200).png().toBuffer(), kind)
      expect(hammingDistance(original, other)).toBeGreaterThan(12)
    }
  })

  it('takes raw pixels too', async () => {
    const raw = { pixels: scene(1), widthPx: 300, heightPx: 200, channels: 3, bytesPerSample: 1 } as const
    const encoded = await perceptualHash(await fromRaw(scene(1), 300, 200).png().toBuffer(), kind)
    expect(await perceptualHash(raw, kind)).toBe(encoded)
  })

  it('refuses what cannot be decoded', async () => {
    expect(await codeOf(perceptualHash(Buffer.from('nothing'), kind))).toMatch(/^ERR_IMAGE_/)
  })
})

describe('hammingDistance', () => {
  it('counts bits', () => {
    expect(hammingDistance('0000000000000000', 'ffffffffffffffff')).toBe(64)
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.nat(63), (value, bit) => {
        expect(hammingDistance(hex(value), hex(value ^ (1n << BigInt(bit))))).toBe(1)
        expect(hammingDistance(hex(value), hex(value))).toBe(0)
      }),
    )
  })
})

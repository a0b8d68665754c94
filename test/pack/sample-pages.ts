import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp, { type Sharp } from 'sharp'
import { probeImageFile } from '../../src/images/index.ts'
import type { PackPage } from '../../src/pack/index.ts'

/** Quadrants of the sample picture: upper left, upper right, lower left, lower right. */
export const quadrants = [
  [220, 30, 30],
  [30, 200, 30],
  [30, 30, 220],
  [240, 240, 240],
] as const

/** Four quadrants of different colours, so that every turn and flip shows. */
function quadrantPixels(width: number, height: number): Buffer {
  const out = Buffer.alloc(width * height * 3)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const colour = quadrants[(y < height / 2 ? 0 : 2) + (x < width / 2 ? 0 : 1)] ?? quadrants[0]
      out.set(colour, (y * width + x) * 3)
    }
  }
  return out
}

/** The sample picture, to be encoded. */
export function quadrantImage(width = 60, height = 40): Sharp {
  return sharp(quadrantPixels(width, height), { raw: { width, height, channels: 3 } })
}

/** A repeatable stream of numbers from 0 up to 1. */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff
    return state / 0x8000_0000
  }
}

/** Random samples as an image; every one of them must come through a lossless path. */
export function noiseImage(
  size: {
    readonly width: number
    readonly height: number
    readonly channels: 1 | 2 | 3 | 4
    readonly deep?: boolean
  },
  seed = 7,
): Sharp {
  const { width, height, channels } = size
  const random = createRandom(seed)
  const count = width * height * channels
  const samples =
    size.deep === true
      ? Uint16Array.from({ length: count }, () => random() * 65_536)
      : Uint8Array.from({ length: count }, () => random() * 256)
  const grey = channels < 3
  const space = size.deep === true ? (grey ? 'grey16' : 'rgb16') : grey ? 'b-w' : 'srgb'
  return sharp(samples, { raw: { width, height, channels } }).toColourspace(space)
}

/** A page for a packer from bytes: written to a file and probed. */
export async function pageOf(
  dir: string,
  name: string,
  bytes: Buffer,
  more: Partial<PackPage> = {},
): Promise<PackPage> {
  const path = join(dir, name)
  writeFileSync(path, bytes)
  const facts = await probeImageFile(path)
  if (!facts) throw new Error(`${name} is no image`)
  return { path, facts, index: 0, ...more }
}

/** So many small JPEG pages, each different. */
export async function jpegPages(dir: string, count: number): Promise<PackPage[]> {
  const pages: PackPage[] = []
  for (let index = 0; index < count; index++) {
    const shade = { r: index % 256, g: (index * 7) % 256, b: (index * 31) % 256 }
    const bytes = await sharp({ create: { width: 40, height: 60, channels: 3, background: shade } })
      .jpeg({ quality: 80 })
      .toBuffer()
    pages.push(await pageOf(dir, `page-${index}.jpg`, bytes, { index }))
  }
  return pages
}

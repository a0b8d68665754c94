import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { resizeSample, type ResizeMode } from '../../src/images/index.ts'
import { tempFolder } from '../datasets/temp-folder.ts'
import { describeWith } from '../programs.ts'
import { fromRaw, meanDifference, pixelsOf } from './fixtures.ts'

// What img2dataset does with OpenCV: area down, Lanczos up, white borders, the middle cut out; sizes as Python rounds.
const script = `
import cv2, json, os, sys
folder, size = sys.argv[1], int(sys.argv[2])
cv2.setNumThreads(1)
sizes = {}
for name in sorted(os.listdir(folder)):
    if not name.endswith('.jpg'): continue
    whole = cv2.imread(os.path.join(folder, name), cv2.IMREAD_UNCHANGED)
    height, width = whole.shape[:2]
    for mode in ('border', 'keep_ratio', 'keep_ratio_largest', 'center_crop'):
        side = min(width, height) if mode in ('keep_ratio', 'center_crop') else max(width, height)
        to = (round(width * size / side), round(height * size / side))
        image = cv2.resize(whole, to, interpolation=cv2.INTER_AREA if side > size else cv2.INTER_LANCZOS4)
        if mode == 'border':
            left, top = (size - to[0]) // 2, (size - to[1]) // 2
            image = cv2.copyMakeBorder(image, top, size - to[1] - top, left, size - to[0] - left, cv2.BORDER_CONSTANT, value=(255, 255, 255))
        if mode == 'center_crop':
            left, top = (to[0] - size) // 2, (to[1] - size) // 2
            image = image[top:top + size, left:left + size]
        cv2.imwrite(os.path.join(folder, 'cv', name + '.' + mode + '.png'), image)
`

/** Waves, squares and noise: harder than a photo. */
function texture(width: number, height: number): Buffer {
  const pixels = Buffer.alloc(width * height * 3)
  let state = 10
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const wave = 128 + 60 * Math.sin(x / 14 + y / 31) + 50 * Math.cos(y / 9 - x / 53)
      const base = wave + 30 * (((x >> 4) + (y >> 4)) & 1)
      for (let c = 0; c < 3; c++, at++) {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
        pixels[at] = Math.min(255, Math.max(0, base + c * 9 + ((state >>> 24) * 18) / 256))
      }
    }
  }
  return pixels
}

/** Down by more than four, by 2.3, from a tall picture, and up. */
const shapes = [
  [1152, 864],
  [600, 400],
  [333, 777],
  [120, 90],
] as const

describeWith(['python:cv2'], 'beside OpenCV', () => {
  it('gives the sizes of img2dataset to the pixel, and colours within the difference that docs/datasets.md states', async () => {
    const folder = tempFolder()
    mkdirSync(join(folder, 'cv'))
    for (const [width, height] of shapes) {
      const jpeg = await fromRaw(texture(width, height), width, height).jpeg({ quality: 92 }).toBuffer()
      writeFileSync(join(folder, `${width}x${height}.jpg`), jpeg)
    }
    execFileSync('python3', ['-c', script, folder, '256'])
    const modes: readonly ResizeMode[] = ['border', 'keep_ratio', 'keep_ratio_largest', 'center_crop']
    for (const mode of modes) {
      const differences: number[] = []
      for (const [width, height] of shapes) {
        const name = `${width}x${height}.jpg`
        const sample = await resizeSample(readFileSync(join(folder, name)), {
          sizePx: 256,
          mode,
          encode: 'png',
        })
        const theirs = join(folder, 'cv', `${name}.${mode}.png`)
        // Lengths that differ throw.
        const difference = meanDifference(await pixelsOf(sample.bytes), await pixelsOf(theirs))
        expect(difference, `${mode} ${name}`).toBeLessThan(3.5)
        differences.push(difference)
      }
      const mean = differences.reduce((sum, value) => sum + value, 0) / differences.length
      expect(mean, mode).toBeLessThan(2.2)
    }
  })
})

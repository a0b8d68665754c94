import type { DecodePool } from '../decode/decode-pool.ts'
import { exifJson } from '../exif/exif-json.ts'
import { perceptualHash } from '../hash/perceptual-hash.ts'
import { resizeSample } from './resize-sample.ts'
import type { ResizedSample, SampleOptions } from './sample-options.ts'

/** What is wanted of the bytes of one image: plain data, so that another process can be asked. */
export interface SampleOrder extends Omit<SampleOptions, 'pool' | 'signal'> {
  /** The EXIF fields of the original, as `exifJson` writes them. */
  readonly exif?: boolean
  /** The perceptual hash of the original. */
  readonly phash?: boolean
}

export interface SampleImage extends ResizedSample {
  readonly exif?: string
  readonly phash?: string
}

export interface ResizeRun {
  /** Called as the image library begins with the image; what it returns is called as it ends. */
  readonly atWork?: () => () => void
  readonly signal?: AbortSignal
}

/**
 * Makes samples of images; the same whether in this process or in another.
 *
 * - Many may be asked for at once; how many are worked on is its own matter.
 * - `bytes` are only read, and not after the promise settled.
 * - Rejects with the errors of `resizeSample`; with ERR_CANCELLED when `signal` aborts before the image is made.
 */
export interface SampleResizer {
  resize(bytes: Uint8Array, order: SampleOrder, run?: ResizeRun): Promise<SampleImage>
  /** What is still asked for is rejected. */
  close(): Promise<void>
}

/** Makes samples in this process, as many at once as `pool` lets. */
export function createLocalResizer(pool: DecodePool): SampleResizer {
  return {
    async resize(bytes, { exif, phash, ...wanted }, { atWork, signal } = {}) {
      const resized = await resizeSample(bytes, {
        ...wanted,
        pool: atWork ? told(pool, atWork) : pool,
        ...(signal === undefined ? {} : { signal }),
      })
      return {
        ...resized,
        ...(exif === true ? { exif: await exifJson(bytes) } : {}),
        ...(phash === true ? { phash: await perceptualHash(bytes) } : {}),
      }
    },
    close: () => Promise.resolve(),
  }
}

/** The pool, telling of the work that passes through. */
function told(pool: DecodePool, atWork: () => () => void): DecodePool {
  const run: DecodePool['run'] = (pixels, work, signal) => {
    const toldWork = async (): Promise<Awaited<ReturnType<typeof work>>> => {
      const end = atWork()
      try {
        return await work()
      } finally {
        end()
      }
    }
    return pool.run(pixels, toldWork, signal)
  }
  return { ...pool, run }
}

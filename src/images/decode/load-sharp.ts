import type sharpModule from 'sharp'
import { TrawlError } from '../../core/index.ts'

/** The sharp function, loaded. */
export type SharpFunction = typeof sharpModule

let loading: Promise<SharpFunction> | undefined

/**
 * Loads sharp when the first image needs it. One libvips thread an image, since many images are worked on at once,
 * and no operation cache. Both are settings of the whole process. Throws ERR_IMAGE_UNSUPPORTED where sharp has no
 * build for this system.
 */
export function loadSharp(): Promise<SharpFunction> {
  loading ??= import('sharp').then(
    ({ default: sharp }) => {
      sharp.concurrency(1)
      sharp.cache(false)
      return sharp
    },
    (error: unknown) => {
      loading = undefined
      throw new TrawlError(
        'ERR_IMAGE_UNSUPPORTED',
        'the image library sharp cannot be loaded on this system',
        {
          cause: error,
          hint: 'Install again with `npm install --include=optional`, or choose a check that does not decode.',
          scope: 'process',
        },
      )
    },
  )
  return loading
}

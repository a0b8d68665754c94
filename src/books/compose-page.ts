import { renameSync } from 'node:fs'
import type { PageLayer } from '../core/index.ts'
import { imageError, loadSharp, sharedDecodePool } from '../images/index.ts'

/** A layer whose image is in staging. */
export interface StagedLayer {
  readonly layer: PageLayer
  readonly path: string
}

/**
 * Paints the layers of a page on a white canvas, in order, and writes it as PNG, which loses nothing. Throws
 * ERR_IMAGE_* and storage errors.
 */
export async function composePage(
  canvas: { readonly widthPx: number; readonly heightPx: number },
  layers: readonly StagedLayer[],
  target: string,
  signal: AbortSignal,
): Promise<void> {
  const { widthPx: width, heightPx: height } = canvas
  const part = `${target}.part`
  await sharedDecodePool().run(
    width * height,
    async () => {
      const sharp = await loadSharp()
      try {
        const images = []
        for (const { layer, path } of layers) {
          images.push({ input: await layerImage(layer, path), left: layer.x, top: layer.y })
        }
        await sharp({
          create: { width, height, channels: 3, background: '#ffffff' },
          limitInputPixels: false,
        })
          .composite(images)
          .removeAlpha()
          .png({ compressionLevel: 6 })
          .toFile(part)
      } catch (error) {
        throw imageError(error, { name: target, doing: 'encode' })
      }
    },
    signal,
  )
  renameSync(part, target)

  async function layerImage(layer: PageLayer, path: string): Promise<Buffer> {
    const sharp = await loadSharp()
    const image = sharp(path, { failOn: 'truncated', autoOrient: true })
    const { crop } = layer
    if (crop) {
      const facts = await sharp(path).metadata()
      const turned = (facts.orientation ?? 1) >= 5
      const [w, h] = turned ? [facts.height, facts.width] : [facts.width, facts.height]
      const left = Math.min(w - 1, Math.round(crop.x * w))
      const top = Math.min(h - 1, Math.round(crop.y * h))
      image.extract({
        left,
        top,
        width: Math.max(1, Math.min(w - left, Math.round(crop.width * w))),
        height: Math.max(1, Math.min(h - top, Math.round(crop.height * h))),
      })
    }
    const sized = image.resize(layer.widthPx, layer.heightPx, { fit: 'fill' })
    // What reaches over the edge of the canvas cannot be painted there.
    const seenWidth = Math.min(layer.widthPx, width - layer.x)
    const seenHeight = Math.min(layer.heightPx, height - layer.y)
    const raw = await sized.toColourspace('srgb').png({ compressionLevel: 0 }).toBuffer()
    if (seenWidth === layer.widthPx && seenHeight === layer.heightPx) return raw
    return sharp(raw)
      .extract({ left: 0, top: 0, width: Math.max(1, seenWidth), height: Math.max(1, seenHeight) })
      .png({ compressionLevel: 0 })
      .toBuffer()
  }
}

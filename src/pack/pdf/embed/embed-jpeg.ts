import { firstJpegLength, type ImageBytes, type JpegHeader } from '../../image-bytes/index.ts'
import { isUsableProfile } from '../icc-profile.ts'
import type { ImagePlan } from './image-plan.ts'

/**
 * True where DCTDecode takes a JPEG (ISO 32000-1, 7.4.8): 8 bits, one, three or four components, baseline, extended
 * or progressive with Huffman coding, and a height in the frame header.
 */
export function isPlainJpeg(jpeg: JpegHeader): boolean {
  const components = jpeg.components === 1 || jpeg.components === 3 || jpeg.components === 4
  return jpeg.frame <= 2 && jpeg.bitDepth === 8 && components && jpeg.heightPx > 0 && jpeg.widthPx > 0
}

/**
 * A JPEG, its bytes copied; of several images in one file only the first. Four components are inverted where an
 * Adobe segment is there, as the programs that write it do.
 */
export function planJpeg(image: ImageBytes, jpeg: JpegHeader): ImagePlan {
  const space = jpeg.components === 1 ? 'DeviceGray' : jpeg.components === 3 ? 'DeviceRGB' : 'DeviceCMYK'
  const inverted = jpeg.components === 4 && jpeg.adobe ? ' /Decode [1 0 1 0 1 0 1 0]' : ''
  const plainRgb = jpeg.plainRgb ? ' /DecodeParms << /ColorTransform 0 >>' : ''
  const length = jpeg.multiPicture ? firstJpegLength(image) : image.sizeBytes
  const icc = jpeg.icc && isUsableProfile(jpeg.icc, jpeg.components) ? { icc: jpeg.icc } : {}
  return {
    widthPx: jpeg.widthPx,
    heightPx: jpeg.heightPx,
    bitDepth: 8,
    colour: { space, ...icc },
    entries: `/Filter /DCTDecode${plainRgb}${inverted}`,
    data: [image.part(0, length)],
    verbatim: length === image.sizeBytes,
  }
}

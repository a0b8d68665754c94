import type { PngHeader } from '../../image-bytes/index.ts'
import { isUsableProfile } from '../icc-profile.ts'
import type { ColourPlan, ImagePlan } from './image-plan.ts'

/**
 * True where the compressed data of a PNG can stand in a PDF as they are: not interlaced, and no alpha beside each
 * sample. A palette with alpha counts as such: its opacity comes as an image of its own.
 */
export function isPlainPng(png: PngHeader): boolean {
  return !png.interlaced && (png.colourType === 0 || png.colourType === 2 || png.colourType === 3)
}

/** True where entries of the palette are not opaque. */
export function hasPaletteAlpha(png: PngHeader): boolean {
  return (
    png.colourType === 3 && png.transparency !== undefined && png.transparency.some((alpha) => alpha < 0xff)
  )
}

/**
 * A plain PNG: its zlib data copied, with the predictors that PNG and PDF share (ISO 32000-1, 7.4.4.4), a palette as
 * an Indexed colour space, one transparent colour as a colour key mask. `icc` is used instead of the profile of the
 * file, which is dropped where it does not fit and always for palettes, where viewers refuse it.
 */
export function planPng(png: PngHeader, icc: Buffer | undefined = png.icc): ImagePlan {
  const samples = png.colourType === 2 ? 3 : 1
  const parms = `/Predictor 15 /Colors ${samples} /BitsPerComponent ${png.bitDepth} /Columns ${png.widthPx}`
  return {
    widthPx: png.widthPx,
    heightPx: png.heightPx,
    bitDepth: png.bitDepth,
    colour: colours(png, icc),
    entries: `/Filter /FlateDecode /DecodeParms << ${parms} >>${colourKey(png, samples)}`,
    data: png.data,
    verbatim: false,
  }
}

function colours(png: PngHeader, icc: Buffer | undefined): ColourPlan {
  if (png.colourType === 3 && png.palette) {
    // More entries than the depth can address are not allowed in an Indexed space.
    const most = 2 ** png.bitDepth * 3
    return { space: 'DeviceRGB', palette: png.palette.subarray(0, most) }
  }
  const samples = png.colourType === 2 ? 3 : 1
  const space = samples === 3 ? 'DeviceRGB' : 'DeviceGray'
  return icc && isUsableProfile(icc, samples) ? { space, icc } : { space }
}

function colourKey(png: PngHeader, samples: number): string {
  const key = png.transparency
  if (!key || png.colourType === 3 || key.length < samples * 2) return ''
  const values = Array.from({ length: samples }, (_, i) => key.readUInt16BE(i * 2))
  return ` /Mask [${values.map((value) => `${value} ${value}`).join(' ')}]`
}

import type { Interpolation, SampleOptions } from './sample-options.ts'

/** What happens to the size of one picture: scale, then cut out or pad. Undefined parts do not happen. */
export interface SampleGeometry {
  readonly scaleTo?: {
    readonly widthPx: number
    readonly heightPx: number
    readonly interpolation: Interpolation
  }
  readonly crop?: { readonly left: number; readonly top: number; readonly sidePx: number }
  readonly pad?: {
    readonly left: number
    readonly top: number
    readonly right: number
    readonly bottom: number
  }
  /** Final size. */
  readonly widthPx: number
  readonly heightPx: number
}

/** The sizes that img2dataset gives a picture: the same rounding, crop and padding to the pixel. */
export function sampleGeometry(widthPx: number, heightPx: number, options: SampleOptions): SampleGeometry {
  const { mode, sizePx } = options
  if (mode === 'no') return { widthPx, heightPx }
  const byShortest = mode === 'keep_ratio' || mode === 'center_crop'
  const side = byShortest ? Math.min(widthPx, heightPx) : Math.max(widthPx, heightPx)
  if (options.onlyIfBigger === true && side <= sizePx) return { widthPx, heightPx }
  const width = scaled(widthPx, sizePx, side)
  const height = scaled(heightPx, sizePx, side)
  const interpolation = side > sizePx ? (options.downscale ?? 'area') : (options.upscale ?? 'lanczos')
  const scaleTo = side === sizePx ? {} : { scaleTo: { widthPx: width, heightPx: height, interpolation } }
  if (mode === 'center_crop' && width !== height) {
    const left = Math.floor((width - sizePx) / 2)
    const top = Math.floor((height - sizePx) / 2)
    return { ...scaleTo, crop: { left, top, sidePx: sizePx }, widthPx: sizePx, heightPx: sizePx }
  }
  if (mode === 'border' && width !== height) {
    const left = Math.floor((sizePx - width) / 2)
    const top = Math.floor((sizePx - height) / 2)
    const pad = { left, top, right: sizePx - width - left, bottom: sizePx - height - top }
    return { ...scaleTo, pad, widthPx: sizePx, heightPx: sizePx }
  }
  return { ...scaleTo, widthPx: width, heightPx: height }
}

/** Rounds halves to even, as Python does; never to nothing. */
function scaled(px: number, sizePx: number, sidePx: number): number {
  const exact = px * (sizePx / sidePx)
  const down = Math.floor(exact)
  const rest = exact - down
  const up = rest > 0.5 || (rest === 0.5 && down % 2 === 1)
  return Math.max(1, up ? down + 1 : down)
}

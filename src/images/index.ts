export { shownSize, type ImageFacts, type ImageFormat } from './image-facts.ts'
export { probeImage, probeImageFile } from './probe/probe-image.ts'
export { sniffFormat } from './probe/sniff-format.ts'
export { checkStructure } from './structure/check-structure.ts'
export type { StructureReport } from './structure/structure-report.ts'
export {
  checkImage,
  type CheckedImage,
  type CheckImageOptions,
  type CheckLevel,
  type ImageExpectation,
} from './check/check-image.ts'
export { sameRatio } from './check/expected-size.ts'
export { isBlankImage } from './blank/is-blank.ts'

export {
  createDecodePool,
  sharedDecodePool,
  type DecodePool,
  type DecodePoolOptions,
} from './decode/decode-pool.ts'
export { imageError, type ImageAction } from './decode/image-error.ts'
export { loadSharp, type SharpFunction } from './decode/load-sharp.ts'
export { applyBytesTransforms, type BytesTransform } from './transform/bytes-transform.ts'
export { descramble, scramble, type Descramble } from './transform/descramble.ts'
export { moveRects } from './transform/move-rects.ts'
export { planFingerprint, type PageFormat, type PagePlan, type ResizePlan } from './transform/page-plan.ts'
export type { RawImage } from './transform/raw-image.ts'
export { stripReversal, type GridOrder, type Rect } from './transform/rect.ts'
export {
  transformPage,
  type PageTarget,
  type TransformedPage,
  type TransformPageOptions,
} from './transform/transform-page.ts'
export { filterSample, resizeSample } from './sample/resize-sample.ts'
export {
  createLocalResizer,
  type ResizeRun,
  type SampleImage,
  type SampleOrder,
  type SampleResizer,
} from './sample/sample-resizer.ts'
export { createApartResizer } from './apart/apart-resizer.ts'
export type {
  Box,
  Interpolation,
  ResizedSample,
  ResizeMode,
  SampleFilters,
  SampleOptions,
} from './sample/sample-options.ts'
export { exifJson } from './exif/exif-json.ts'
export { hammingDistance, perceptualHash, type PerceptualHashKind } from './hash/perceptual-hash.ts'
export { longImage, type LongImageOptions, type LongImagePart } from './long/long-image.ts'
export { placeholderPage, type PlaceholderOptions } from './placeholder/placeholder-page.ts'

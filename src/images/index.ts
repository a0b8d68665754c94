export { shownSize, type ImageFacts, type ImageFormat } from './image-facts.ts'
export { probeImage, probeImageFile } from './probe/probe-image.ts'
export { sniffFormat } from './probe/sniff-format.ts'
export { checkStructure } from './structure/check-structure.ts'
export type { StructureReport } from './structure/structure-report.ts'
export {
  checkImage,
  DEFAULT_MAX_PIXELS,
  type CheckedImage,
  type CheckImageOptions,
  type CheckLevel,
  type ImageExpectation,
} from './check/check-image.ts'
export { createDecodePool, type DecodePool, type DecodePoolOptions } from './decode/decode-pool.ts'

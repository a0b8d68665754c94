export {
  createWindow,
  imageInMemory,
  openImageFile,
  type ImageBytes,
  type StreamPart,
} from './image-bytes.ts'
export { readJp2Header, type Jp2Header } from './jp2-header.ts'
export { firstJpegLength, readJpegHeader, type JpegHeader } from './jpeg-header.ts'
export { readPngHeader, type PngHeader } from './png-header.ts'
export { readParts } from './stream-parts.ts'
export { isLosslessWebp } from './webp-header.ts'

export { readComicInfo } from './cbz/index.ts'
export { createPackFan, type PackFan } from './create-pack-fan.ts'
export { checkPackOptions, createPackWriter } from './create-pack-writer.ts'
export { openPack, type OpenPackOptions } from './open-pack.ts'
export { packFormats, type PackFormat, type PackOptions } from './pack-options.ts'
export type {
  PackedFile,
  PackedPage,
  PackPage,
  PackProperties,
  PackReader,
  PackWriter,
  ReadPage,
} from './pack-writer.ts'
export { pageWidthPt, type PageSize } from './pdf/index.ts'
export { repack, type RepackOptions } from './repack.ts'
export {
  createTarWriter,
  openTar,
  type TarMember,
  type TarReader,
  type TarWriter,
  type TarWriterOptions,
} from './tar/index.ts'

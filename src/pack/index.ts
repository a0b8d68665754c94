export {
  createTarWriter,
  openTar,
  tarBlockBytes,
  type TarMember,
  type TarReader,
  type TarWriter,
  type TarWriterOptions,
} from './tar/index.ts'
export type { PackedPage, PackPage, PackProperties, PackReader, PackWriter } from './pack-writer.ts'

export { openTarPack } from './tar-pack-reader.ts'
export { openTar, type TarMember, type TarReader } from './tar-reader.ts'
export { createTarWriter, type TarWriter, type TarWriterOptions } from './tar-writer.ts'

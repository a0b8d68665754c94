export { verifyZip } from './verify-zip.ts'
export { ZipFile } from './zip-file.ts'
export { ZipPackWriter } from './zip-pack-writer.ts'
export { openZip, openZipPack, type ReadZipOptions, type ZipArchive } from './read/zip-pack-reader.ts'

export { EpubWriter } from './epub-writer.ts'
export { openEpub } from './read/epub-reader.ts'

export { openFolder } from './folder-reader.ts'
export { FolderWriter } from './folder-writer.ts'

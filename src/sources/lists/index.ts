export {
  isListFault,
  type ListedFile,
  type ListEntry,
  type ListFault,
  type ListOptions,
} from './list-entry.ts'
export { readFileList } from './file-list.ts'
export { readUrlList, type ReadUrlListOptions } from './url-list.ts'
export { imageListInput, imageListSource } from './image-list-source.ts'

export {
  isListFault,
  readUrlList,
  type ListedFile,
  type ListEntry,
  type ListFault,
  type ListOptions,
  type ReadUrlListOptions,
} from './lists/index.ts'
export type {
  FetchedDocument,
  Source,
  SourceContext,
  SourceInput,
  SourceItem,
  SourceMatch,
} from './source.ts'
export { parseUrlPattern, type PatternUrl, type UrlPattern } from './url-pattern.ts'

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
export { compareNaturally } from './natural-order.ts'
export { parseSelection, selectItems, type ItemSelection, type Selection } from './selection.ts'

import { folderSource } from './folder/index.ts'
import { htmlSource } from './html/index.ts'
import { iiifSource } from './iiif/index.ts'
import { imageListSource } from './lists/index.ts'
import { patternSource } from './pattern-source.ts'
import type { Source } from './source.ts'

export { chapterNumber } from './chapter-number.ts'
export { withVolumes } from './chapter-volumes.ts'
export { folderSource } from './folder/index.ts'
export { htmlSource } from './html/index.ts'
export {
  finestScale,
  iiifSource,
  imageRequests,
  parseImageInfo,
  tilesFor,
  type ImageInfo,
  type ImageRequests,
  type ImageSize,
  type ImageWish,
  type Tile,
  type TilePlan,
  type TileSet,
} from './iiif/index.ts'
export {
  imageListInput,
  imageListSource,
  isListFault,
  readFileList,
  readUrlList,
  type ListedFile,
  type ListEntry,
  type ListFault,
  type ListOptions,
  type ReadUrlListOptions,
} from './lists/index.ts'
export { isMetalink, parseMetalink, type ParseMetalinkOptions } from './metalink/index.ts'
export { compareNaturally } from './natural-order.ts'
export { patternSource } from './pattern-source.ts'
export { createSourceRegistry, type PickedSource, type SourceRegistry } from './registry.ts'
export { parseSelection, selectItems, type ItemSelection, type Selection } from './selection.ts'
export type {
  FetchedDocument,
  Source,
  SourceContext,
  SourceInput,
  SourceItem,
  SourceMatch,
} from './source.ts'
export { parseUrlPattern, type PatternUrl, type UrlPattern } from './url-pattern.ts'

/** The sources that come with trawl. */
export const builtInSources: readonly Source[] = [
  folderSource,
  htmlSource,
  iiifSource,
  imageListSource,
  patternSource,
]

export { iiifSource } from './iiif-source.ts'
export { parseImageInfo, type ImageInfo, type ImageSize, type TileSet } from './image-info.ts'
export { imageRequests, type ImageRequests, type ImageWish } from './image-requests.ts'
export { finestScale, tilesFor, type Tile, type TilePlan } from './tiles.ts'

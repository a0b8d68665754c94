export {
  joinAlpha,
  rasterise,
  rasteriseAlpha,
  recodeForWeb,
  type RasterImage,
  type RasterOptions,
} from './raster.ts'

export { joinAlpha, rasterise, rasteriseAlpha, type RasterImage, type RasterOptions } from './raster.ts'

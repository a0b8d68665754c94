export { isMetalink, parseMetalink, type ParseMetalinkOptions } from './parse-metalink.ts'

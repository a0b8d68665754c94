export { parseContentDisposition, type ContentDisposition } from './content-disposition.ts'
export { parseContentLength } from './content-length.ts'
export {
  formatRange,
  parseAcceptRanges,
  parseContentRange,
  parseUnsatisfiedRange,
  type ContentRange,
} from './content-range.ts'
export { formatWantDigest, parseOldDigest, parseReprDigest } from './digest-fields.ts'
export { parseEntityTag } from './entity-tag.ts'
export { parseHttpDate } from './http-date.ts'
export { parseRetryAfter } from './retry-after.ts'

export { parseContentLength } from './content-length.ts'
export { formatEntityTag, parseEntityTag } from './entity-tag.ts'
export { parseHttpDate } from './http-date.ts'
export { parseRetryAfter } from './retry-after.ts'

export { catalog, isErrorCode, type ErrorCode } from './catalog.ts'
export type { ErrorKind, ErrorScope, Retry } from './error-kind.ts'
export { redact } from './redact.ts'
export {
  fromErrorData,
  isTrawlError,
  toTrawlError,
  TrawlError,
  type ErrorContext,
  type ErrorData,
  type TrawlErrorOptions,
} from './trawl-error.ts'

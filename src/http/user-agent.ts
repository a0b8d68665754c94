import { version } from '../core/index.ts'

/** What trawl calls itself unless told otherwise. */
export const defaultUserAgent = `trawl/${version}`

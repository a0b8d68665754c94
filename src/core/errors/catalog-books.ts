import type { ErrorKind } from './error-kind.ts'

/** Errors of sources and books. */
export const bookErrors = {
  ERR_SOURCE_NO_MATCH: {
    retry: 'never',
    scope: 'job',
    exitCode: 2,
    httpStatus: 422,
    summary: 'No source knows what to do with this input.',
    hint: 'See `trawl sites list`, or give --image-list for a list of page images.',
  },
  ERR_SOURCE_PARSE: {
    retry: 'never',
    scope: 'job',
    exitCode: 1,
    httpStatus: 502,
    summary: 'The source answered with something that cannot be understood.',
    hint: 'Open the URL in a browser; report it if it looks right.',
  },
  ERR_SOURCE_AUTH: {
    retry: 'never',
    scope: 'job',
    exitCode: 1,
    httpStatus: 401,
    summary: 'The source wants credentials.',
    hint: 'Give --cookies, --header or a token.',
  },
  ERR_SOURCE_EMPTY: {
    retry: 'never',
    scope: 'job',
    exitCode: 1,
    httpStatus: 404,
    summary: 'The source has no pages.',
    hint: 'Check the URL or the selection.',
  },
  ERR_BOOK_INCOMPLETE: {
    retry: 'never',
    scope: 'job',
    exitCode: 1,
    httpStatus: 502,
    summary: 'Pages of the book are missing.',
    hint: 'See the report for each page and its reason; run again, or choose --partial placeholder or skip.',
  },
  ERR_PAGE_MISSING: {
    retry: 'never',
    scope: 'task',
    exitCode: 1,
    httpStatus: 404,
    summary: 'The source lists a page that has no image.',
    hint: 'Choose --partial placeholder or skip.',
  },
} satisfies Record<string, ErrorKind>

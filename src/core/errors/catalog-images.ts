import type { ErrorKind } from './error-kind.ts'

/** Errors of images. */
export const imageErrors = {
  ERR_IMAGE_UNSUPPORTED: {
    retry: 'never',
    scope: 'task',
    exitCode: 1,
    httpStatus: 415,
    summary: 'The image format cannot be read.',
    hint: 'Convert it, or leave it out.',
  },
  ERR_IMAGE_TRUNCATED: {
    retry: 'backoff',
    scope: 'task',
    exitCode: 1,
    httpStatus: 502,
    summary: 'The image ends too early.',
    hint: 'trawl fetches it again by itself. If it fails in the end, the file on the server is so.',
  },
  ERR_IMAGE_DAMAGED: {
    retry: 'backoff',
    scope: 'task',
    exitCode: 1,
    httpStatus: 502,
    summary: 'The image cannot be decoded in full.',
    hint: 'trawl fetches it again by itself. If it fails in the end, the original is damaged.',
  },
  ERR_IMAGE_EMPTY: {
    retry: 'backoff',
    scope: 'task',
    exitCode: 1,
    httpStatus: 502,
    summary: 'The image has no bytes.',
    hint: 'trawl fetches it again by itself. If it fails in the end, the file on the server is so.',
  },
  ERR_IMAGE_NOT_IMAGE: {
    retry: 'never',
    scope: 'task',
    exitCode: 1,
    httpStatus: 415,
    summary: 'What arrived is not an image, such as an HTML page.',
    hint: 'Open the URL in a browser: a log-in or error page is likely.',
  },
  ERR_IMAGE_TOO_LARGE: {
    retry: 'never',
    scope: 'task',
    exitCode: 1,
    httpStatus: 413,
    summary: 'The image has more pixels or bytes than allowed.',
    hint: 'So large an image is not decoded. `trawl get` fetches the file as it is.',
  },
  ERR_IMAGE_REFUSED: {
    retry: 'never',
    scope: 'task',
    exitCode: 1,
    httpStatus: 502,
    summary: 'The image is one of those that are never a page (--refuse-image).',
    hint: 'The server gives a stand-in for the page; try again later.',
  },
  ERR_IMAGE_DIMENSIONS: {
    retry: 'never',
    scope: 'task',
    exitCode: 1,
    httpStatus: 502,
    summary: 'The image has other dimensions than its source says.',
    hint: 'The server may give a reduced copy; see the source.',
  },
} satisfies Record<string, ErrorKind>

import type { ErrorKind } from './error-kind.ts'

/** Errors of containers. */
export const packErrors = {
  ERR_PACK_UNSUPPORTED: {
    retry: 'never',
    scope: 'job',
    exitCode: 2,
    httpStatus: 415,
    summary: 'The container cannot hold this.',
    hint: 'Choose another format with -f, or convert the pages with --convert.',
  },
  ERR_PACK_OPTIONS: {
    retry: 'never',
    scope: 'job',
    exitCode: 2,
    httpStatus: 400,
    summary: 'Two packing options exclude each other.',
    hint: 'Leave one out.',
  },
  ERR_PACK_READBACK: {
    retry: 'never',
    scope: 'job',
    exitCode: 4,
    httpStatus: 500,
    summary: 'The container did not read back as written.',
    hint: 'Check the disk and run again; nothing was replaced.',
  },
  ERR_PACK_DAMAGED: {
    retry: 'never',
    scope: 'job',
    exitCode: 4,
    httpStatus: 422,
    summary: 'The container cannot be read.',
    hint: 'It is damaged or is not what its name says.',
  },
  ERR_PACK_PASSWORD: {
    retry: 'never',
    scope: 'job',
    exitCode: 2,
    httpStatus: 401,
    summary: 'The container needs a password, or the one given is wrong.',
    hint: 'Give --password-file or TRAWL_PASSWORD.',
  },
} satisfies Record<string, ErrorKind>

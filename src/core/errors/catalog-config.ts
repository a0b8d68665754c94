import type { ErrorKind } from './error-kind.ts'

/** Errors of options, command lines and inputs. */
export const configErrors = {
  ERR_USAGE: {
    retry: 'never',
    scope: 'job',
    exitCode: 2,
    httpStatus: 400,
    summary: 'The command line is wrong.',
    hint: 'See `trawl --help` or `trawl COMMAND --help`.',
  },
  ERR_CONFIG_INVALID: {
    retry: 'never',
    scope: 'job',
    exitCode: 2,
    httpStatus: 400,
    summary: 'An option has a value that is not allowed.',
    hint: 'See docs/options.md, or `trawl config show --origin` for where the value comes from.',
  },
  ERR_CONFIG_UNKNOWN_KEY: {
    retry: 'never',
    scope: 'job',
    exitCode: 2,
    httpStatus: 400,
    summary: 'An option or key does not exist.',
    hint: 'Check the spelling against docs/options.md.',
  },
  ERR_CONFIG_UNREADABLE: {
    retry: 'never',
    scope: 'job',
    exitCode: 2,
    httpStatus: 400,
    summary: 'A configuration file cannot be read or parsed.',
    hint: 'Mend the named file, or remove it.',
  },
  ERR_INPUT_UNREADABLE: {
    retry: 'never',
    scope: 'job',
    exitCode: 2,
    httpStatus: 400,
    summary: 'An input list or table cannot be read.',
    hint: 'Check that the path exists and that you may read it.',
  },
  ERR_INPUT_INVALID: {
    retry: 'never',
    scope: 'task',
    exitCode: 1,
    httpStatus: 422,
    summary: 'A line or row of the input is not what it should be.',
    hint: 'Mend the named line; the others are not affected.',
  },
  ERR_FORMAT_NEWER: {
    retry: 'never',
    scope: 'job',
    exitCode: 2,
    httpStatus: 409,
    summary: 'A file was written by a newer trawl.',
    hint: 'Update trawl, or use another folder. The file was left untouched.',
  },
} satisfies Record<string, ErrorKind>

import type { ErrorKind } from './error-kind.ts'

/** Errors of jobs and of the ways in which they work. */
export const jobErrors = {
  ERR_CANCELLED: {
    retry: 'never',
    scope: 'job',
    exitCode: 130,
    httpStatus: 409,
    summary: 'The job was cancelled; its state is kept.',
    hint: 'Run the same command again to go on where it stopped.',
  },
  ERR_MODE_UNSUPPORTED: {
    retry: 'never',
    scope: 'job',
    exitCode: 2,
    httpStatus: 400,
    summary: 'Something was asked for that does not work in this way of working.',
    hint: 'Use --mode async, where everything works.',
  },
  ERR_WORKER_CRASHED: {
    retry: 'never',
    scope: 'task',
    exitCode: 1,
    httpStatus: 500,
    summary: 'Several worker threads or processes died, one after the other, with the same file.',
    hint: 'Try this file with --mode async, and report it with the message.',
  },
  ERR_WORKERS_FAILED: {
    retry: 'never',
    scope: 'job',
    exitCode: 3,
    httpStatus: 500,
    summary: 'Worker threads or processes die as fast as they are started.',
    hint: 'Use --mode async, or fewer --workers where memory is short. State is kept.',
  },
  ERR_INTERNAL: {
    retry: 'never',
    scope: 'task',
    exitCode: 1,
    httpStatus: 500,
    summary: 'Something happened that trawl did not foresee.',
    hint: 'This is a bug in trawl. Please report it with the message and the command.',
  },
} satisfies Record<string, ErrorKind>

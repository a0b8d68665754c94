/** May the same thing be tried again? `after` waits for a time the server named. */
export type Retry = 'never' | 'backoff' | 'after'

/** How wide the damage is: what must pause or stop because of this error. */
export type ErrorScope = 'task' | 'host' | 'volume' | 'job' | 'process'

/** What the catalogue says about one error code. */
export interface ErrorKind {
  readonly retry: Retry
  readonly scope: ErrorScope
  /** Exit code of the command line when this error decides the outcome of the run. */
  readonly exitCode: 1 | 2 | 3 | 4 | 130
  /** HTTP status of the problem document (RFC 9457) that reports it. */
  readonly httpStatus: number
  /** What happened, in one sentence, for the documentation. */
  readonly summary: string
  /** What a person can do about it. */
  readonly hint: string
}

import type { Command } from './measure.ts'

/** Where a benchmark's URLs stand, in the form each program wants. */
export interface UrlList {
  readonly count: number
  /** One URL a line. */
  readonly path: string
  /** The same as a curl configuration file. */
  readonly curlPath: string
}

/** One program, with flags, that takes part in a benchmark. */
export interface Contender {
  readonly name: string
  readonly version: string
  /** The run that downloads into `folder`, which is empty. */
  command(folder: string): Command
}

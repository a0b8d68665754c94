/** A job as data: what a command line, a server or a worker is told to do. Serialisable and versioned. */
export interface JobSpec<Kind extends string = string, Options = unknown> {
  readonly version: 1
  readonly kind: Kind
  /** Absolute output folder. */
  readonly dir: string
  readonly options: Options
}

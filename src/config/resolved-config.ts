import type { Origin } from './origin.ts'

/** Options after layering. Plain data: it may be stored and sent to other processes. */
export interface ResolvedConfig<Values = Readonly<Record<string, unknown>>> {
  readonly values: Values
  /** By resolved name; single entries of maps also as `headers.accept`. */
  readonly origins: Readonly<Record<string, Origin>>
  /** Values for hosts and sources, low to high: see `hostOptions`. */
  readonly blocks: readonly OptionBlock[]
  /** What flags and arguments gave; it stands above blocks of files. */
  readonly fixed: Readonly<Record<string, unknown>>
}

/** Values that hold for hosts of a pattern, or for a source. Plain data. */
export interface OptionBlock {
  readonly kind: 'host' | 'source'
  /** `example.org`, `example.org:8080`, `*.example.org`, `*`, or the name of a source. */
  readonly pattern: string
  /** True for blocks that a program gave; those of files are below flags and arguments. */
  readonly aboveFixed: boolean
  readonly values: Readonly<Record<string, unknown>>
  /** Options that the block sets back to what holds everywhere. */
  readonly unset: readonly string[]
  readonly origins: Readonly<Record<string, Origin>>
}

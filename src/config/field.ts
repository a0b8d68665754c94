import type { Kind } from './kind.ts'

/** What is said about one option besides its kind. */
export interface FieldMeta<V> {
  /** One or two plain sentences, for help, documentation and forms. */
  readonly description: string
  /** For a switch that is on by default: what its flag, `--no-x`, does. */
  readonly off?: string
  /** Absent when the option may stay unset. */
  readonly default?: V
  /** What happens when it is unset, for documentation; a short phrase. */
  readonly unset?: string
  /** Long flag; derived from the key when absent. `false`: no flag, such as for secrets. */
  readonly flag?: `--${string}` | false
  /** `false`: a switch without an opposite, where that would be taken for something else. */
  readonly opposite?: false
  /** One-letter flag. */
  readonly short?: `-${string}`
  /** Stands for the argument in help; the kind's when absent. */
  readonly placeholder?: string
  /** `false`: no environment variable. The name is derived: `TRAWL_MAX_PER_HOST`. */
  readonly env?: false
  /** Where it may stand in files: anywhere (absent), not in project files that are found by themselves, nowhere. */
  readonly file?: 'not-project' | false
  /** May also be set for a host or a source: in `hosts:` and `sources:`, or only in `sources:`. */
  readonly scope?: 'host' | 'source'
  /** The value is never shown. */
  readonly secret?: boolean
  /** Version that brought it. */
  readonly since?: string
}

/** One option: a kind of value and what is said about it. `Filled` is true when it has a default. */
export interface Field<V = unknown, Filled extends boolean = boolean> extends FieldMeta<V> {
  readonly kind: Kind<V>
  readonly filled: Filled
}

/** Declares one option of a group. */
export function field<V, const M extends FieldMeta<V>>(
  kind: Kind<V>,
  meta: M,
): Field<V, M extends { readonly default: unknown } ? true : false> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the compiler cannot narrow a conditional type
  const filled = (meta.default !== undefined) as M extends { readonly default: unknown } ? true : false
  return { ...(meta as FieldMeta<V>), kind, filled }
}

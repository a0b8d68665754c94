import type * as z from 'zod'

/**
 * What a person gave, before it is read: texts of flags and variables (a flag may repeat; lists may be separated
 * by commas), or the items or entries of a YAML sequence or mapping.
 */
export type Raw =
  | { readonly form: 'texts'; readonly texts: readonly string[] }
  | { readonly form: 'items'; readonly items: readonly string[] }
  | { readonly form: 'entries'; readonly entries: readonly (readonly [string, string])[] }

/** A raw value that was understood, or the piece of it that was not, and why where that needs words of its own. */
export type Reading<V> = { readonly value: V } | { readonly bad: string; readonly why?: string }

/**
 * A kind of value: how people write it, and the one zod schema of its resolved form, which is what library
 * callers give and what the program works with.
 */
export interface Kind<V = unknown> {
  readonly name: string
  /** The resolved form, plain JSON data. */
  readonly schema: z.ZodType<V>
  /** Stands for the argument in help texts; absent for switches. */
  readonly placeholder?: string
  /** Completes "give ..." for what people write. */
  readonly allowed: string
  /** Completes "give ..." for the resolved form, where it differs. */
  readonly allowedValue?: string
  /** The flag may be given more than once. */
  readonly repeats: boolean
  /** Values of several layers are joined by key instead of replaced. */
  readonly merges: boolean
  /** The only texts there are, for completion and documentation. */
  readonly choices?: readonly string[]
  /** JSON Schema of the form in configuration files; absent when it is the schema's own. */
  readonly fileSchema?: Readonly<Record<string, unknown>>
  /** Reads what a person gave. Total: never throws. */
  read(raw: Raw): Reading<V>
  /** The value as people write it; `read` gives it back. Lists and maps are joined by line breaks. */
  toText(value: V): string
}

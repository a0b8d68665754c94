import * as z from 'zod'
import { fileKeyOf, flagNameOf, variableOf } from './names.ts'
import type { Field } from './field.ts'

/** Options by resolved name. */
export type Fields = Readonly<Record<string, Field>>

/** A broken rule between options of one group: which option is at fault, and why. */
export interface RuleProblem {
  readonly name: string
  readonly message: string
}

/** One option with all its names. */
export interface Option {
  /** Resolved name, with its unit: `timeoutMs`. */
  readonly name: string
  /** Name in configuration files: `timeout`. */
  readonly key: string
  /** `--timeout`; absent when there is no flag. */
  readonly flag?: string
  /** `TRAWL_TIMEOUT`; absent when there is no variable. */
  readonly variable?: string
  readonly group: string
  readonly field: Field
}

/** A group of options: one strict zod object, built when it is first asked for. */
export interface Group<F extends Fields = Fields> {
  readonly name: string
  readonly title: string
  /** One or two sentences for the documentation. */
  readonly about: string
  readonly fields: F
  readonly options: readonly Option[]
  /** The group in resolved form: unknown keys refused, defaults filled, rules checked. */
  readonly schema: z.ZodType<Record<string, unknown>>
  /** Rules between options, on resolved values with defaults. */
  check(values: Readonly<Record<string, unknown>>): RuleProblem | undefined
}

type ValueOf<F> = F extends Field<infer V> ? V : never

type Flat<T> = { readonly [K in keyof T]: T[K] }

/** The options of a group as the program uses them: options with a default are always there. */
export type OptionsOf<G> =
  G extends Group<infer F>
    ? Flat<
        { [K in keyof F as F[K]['filled'] extends true ? K : never]: ValueOf<F[K]> } & {
          [K in keyof F as F[K]['filled'] extends true ? never : K]?: ValueOf<F[K]>
        }
      >
    : never

/** The options of a group as callers may give them: everything may be left out. */
export type InputOf<G> =
  G extends Group<infer F> ? { readonly [K in keyof F]?: ValueOf<F[K]> | undefined } : never

/** Declares a group. Nothing is built before it is used, so that importing costs nothing. */
export function defineGroup<const F extends Fields>(spec: {
  readonly name: string
  readonly title: string
  readonly about: string
  fields(): F
  /** Rules between options, on resolved values with defaults. */
  check?(values: OptionsOf<Group<F>>): RuleProblem | undefined
}): Group<F> {
  let fields: F | undefined
  let options: readonly Option[] | undefined
  let schema: z.ZodType<Record<string, unknown>> | undefined
  return {
    name: spec.name,
    title: spec.title,
    about: spec.about,
    get fields() {
      return (fields ??= spec.fields())
    },
    get options() {
      return (options ??= Object.entries(this.fields).map(([name, each]) => optionOf(spec.name, name, each)))
    },
    get schema() {
      return (schema ??= schemaOf(this))
    },
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each value passed the schema of its option
    check: (values) => spec.check?.(values as OptionsOf<Group<F>>),
  }
}

function optionOf(group: string, name: string, field: Field): Option {
  const key = fileKeyOf(name)
  return {
    name,
    key,
    ...(field.flag === false ? {} : { flag: field.flag ?? flagNameOf(key) }),
    ...(field.env === false ? {} : { variable: variableOf(key) }),
    group,
    field,
  }
}

function schemaOf(group: Group): z.ZodType<Record<string, unknown>> {
  const shape = Object.fromEntries(
    group.options.map(({ name, field }) => [
      name,
      field.filled ? field.kind.schema.default(field.default) : field.kind.schema.optional(),
    ]),
  )
  return z.strictObject(shape).superRefine((values, context) => {
    const problem = group.check(values)
    if (problem !== undefined)
      context.addIssue({ code: 'custom', path: [problem.name], message: problem.message })
  })
}

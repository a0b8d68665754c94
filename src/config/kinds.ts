import * as z from 'zod'
import { parseDuration, parseSize } from '../core/index.ts'
import { exactDuration, exactSize } from './exact-units.ts'
import type { Kind, Raw, Reading } from './kind.ts'

// Kinds share these instances: a schema of its own for every option would cost start-up time.
const natural = z.int().nonnegative()
const anyText = z.string().min(1)

/** Makes a kind of one text; of a repeated flag the last one counts. `parse` gives undefined for what it refuses. */
export function scalar<V>(
  spec: Pick<Kind<V>, 'name' | 'schema' | 'allowed'> &
    Partial<Pick<Kind<V>, 'placeholder' | 'allowedValue' | 'choices' | 'fileSchema'>> & {
      readonly parse: (text: string) => V | undefined
      readonly toText?: (value: V) => string
    },
): Kind<V> {
  const { parse, toText, ...rest } = spec
  return {
    ...rest,
    repeats: false,
    merges: false,
    read(raw) {
      if (raw.form !== 'texts') return { bad: describeRaw(raw) }
      const text = raw.texts.at(-1) ?? ''
      const value = parse(text)
      return value === undefined ? { bad: text } : { value }
    },
    toText: toText ?? String,
  }
}

function describeRaw(raw: Raw): string {
  return raw.form === 'items' ? `[${raw.items.join(', ')}]` : raw.form === 'entries' ? '{...}' : ''
}

/** A duration: people write `30s` or `1h30m` (a bare number is seconds), programs use whole milliseconds. */
export const duration: Kind<number> = scalar({
  name: 'duration',
  schema: natural,
  placeholder: 'DURATION',
  allowed: 'a duration such as 500ms, 30s, 10m or 1h30m',
  allowedValue: 'a whole number of milliseconds, 0 or more',
  fileSchema: {
    anyOf: [
      { type: 'number', minimum: 0 },
      { type: 'string', pattern: '^[0-9]' },
    ],
  },
  parse: parseDuration,
  toText: exactDuration,
})

/** A number of bytes: people write `10MiB` or `4096`. */
export const size: Kind<number> = scalar({
  name: 'size',
  schema: natural,
  placeholder: 'SIZE',
  allowed: 'a size such as 4096, 500KB or 10MiB',
  allowedValue: 'a whole number of bytes, 0 or more',
  fileSchema: {
    anyOf: [
      { type: 'integer', minimum: 0 },
      { type: 'string', pattern: '^[0-9]' },
    ],
  },
  parse: parseSize,
  toText: exactSize,
})

/** Bytes a second: people write `10MiB` or `10MiB/s`; 0 is no limit. */
export const rate: Kind<number> = {
  ...size,
  name: 'rate',
  placeholder: 'RATE',
  allowed: 'bytes a second such as 500KB or 10MiB; 0 is no limit',
  allowedValue: 'a whole number of bytes a second; 0 is no limit',
}

interface NumberRange {
  readonly min: number
  readonly max?: number
}

function rangeText({ min, max }: NumberRange): string {
  return max === undefined ? `${min} or more` : `from ${min} to ${max}`
}

function parseNumber(text: string): number | undefined {
  const trimmed = text.trim()
  return /^[+-]?(\d+(\.\d*)?|\.\d+)$/.test(trimmed) ? Number(trimmed) : undefined
}

/** A whole number within bounds. */
export function integer(range: NumberRange): Kind<number> {
  return scalar({
    name: 'integer',
    schema: withMax(z.int().min(range.min), range.max),
    placeholder: 'N',
    allowed: `a whole number, ${rangeText(range)}`,
    parse: parseNumber,
  })
}

/** A number within bounds. */
export function decimal(range: NumberRange): Kind<number> {
  return scalar({
    name: 'number',
    schema: withMax(z.number().min(range.min), range.max),
    placeholder: 'N',
    allowed: `a number, ${rangeText(range)}`,
    parse: parseNumber,
  })
}

function withMax(schema: z.ZodNumber, max: number | undefined): z.ZodType<number> {
  return max === undefined ? schema : schema.max(max)
}

/** A whole number within bounds, or `auto`: trawl decides while it runs. */
export function integerOrAuto(range: NumberRange): Kind<number | 'auto'> {
  return scalar<number | 'auto'>({
    name: 'integer or auto',
    schema: z.union([withMax(z.int().min(range.min), range.max), z.literal('auto')]),
    placeholder: 'N|auto',
    allowed: `auto or a whole number, ${rangeText(range)}`,
    parse: (text) => (text.trim().toLowerCase() === 'auto' ? 'auto' : parseNumber(text)),
  })
}

const switchWords: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  '1': true,
  false: false,
  no: false,
  off: false,
  '0': false,
}

/** A switch: `--x` and `--no-x`, or `true` and `false` in files and variables. */
export const toggle: Kind<boolean> = scalar({
  name: 'switch',
  schema: z.boolean(),
  allowed: 'true or false',
  parse: (text) => {
    const word = text.trim().toLowerCase()
    return Object.hasOwn(switchWords, word) ? switchWords[word] : undefined
  },
})

/** Any text that is not empty. */
export function text(placeholder: string, allowed = 'a text that is not empty'): Kind<string> {
  return scalar({
    name: 'text',
    schema: anyText,
    placeholder,
    allowed,
    parse: (given) => (given === '' ? undefined : given),
  })
}

/** A path. In project and option files it is relative to the file, elsewhere to the current folder; `~/` is home. */
export function path(placeholder: 'FILE' | 'DIR'): Kind<string> {
  return { ...text(placeholder, 'a path'), name: 'path' }
}

/** Text in a small language that `pattern` describes; it stays text, and the part that uses it parses it. */
export function pattern(placeholder: string, pattern: RegExp, allowed: string): Kind<string> {
  return scalar({
    name: 'text',
    schema: z.string().regex(pattern),
    placeholder,
    allowed,
    parse: (given) => (pattern.test(given.trim()) ? given.trim() : undefined),
  })
}

/** Text that `accepts` judges, where a pattern does not say enough. */
export function checked(
  placeholder: string,
  accepts: (text: string) => boolean,
  allowed: string,
): Kind<string> {
  return scalar({
    name: 'text',
    schema: z.string().refine(accepts),
    placeholder,
    allowed,
    parse: (given) => (accepts(given) ? given : undefined),
  })
}

/** One of a few words. */
export function choice<const C extends readonly [string, ...string[]]>(choices: C): Kind<C[number]> {
  return scalar<C[number]>({
    name: 'choice',
    schema: z.enum(choices),
    placeholder: choices.join('|'),
    allowed: joinOr(choices),
    choices,
    parse: (given) => choices.find((word) => word === given.trim().toLowerCase()),
  })
}

/** Several texts: the flag repeats, and commas separate where `separator` says so. */
export function list<V extends string>(
  item: Kind<V>,
  options: { readonly separator?: ',' } = {},
): Kind<readonly V[]> {
  const { separator } = options
  const one = item.choices === undefined ? { type: ['string', 'number'] } : { enum: item.choices }
  return {
    name: `list of ${item.name}`,
    schema: z.array(item.schema),
    ...(item.placeholder === undefined ? {} : { placeholder: item.placeholder }),
    allowed: separator === undefined ? item.allowed : `${item.allowed}; several separated by commas`,
    allowedValue: `a list, each ${item.allowed}`,
    repeats: true,
    merges: false,
    ...(item.choices === undefined ? {} : { choices: item.choices }),
    fileSchema: { anyOf: [{ type: 'string' }, { type: 'array', items: one }] },
    read: (raw) => {
      if (raw.form === 'entries') return { bad: describeRaw(raw) }
      return readItems(item, raw.form === 'items' ? raw.items : splitTexts(raw.texts, separator))
    },
    toText: (value) => value.map((each) => item.toText(each)).join(separator ?? '\n'),
  }
}

function splitTexts(texts: readonly string[], separator: ',' | undefined): string[] {
  const pattern = separator === undefined ? /\r?\n/ : /[,\n]/
  return texts.flatMap((text) => text.split(pattern).map((part) => part.trim())).filter((part) => part !== '')
}

function readItems<V>(item: Kind<V>, texts: readonly string[]): Reading<readonly V[]> {
  const values: V[] = []
  for (const text of texts) {
    const reading = item.read({ form: 'texts', texts: [text] })
    if ('bad' in reading) return reading
    values.push(reading.value)
  }
  return { value: values }
}

interface MapOptions {
  readonly assign: ':' | '='
  readonly placeholder: string
  readonly allowed: string
  /** What a name must look like. */
  readonly names: RegExp
  readonly lowerCase?: boolean
  readonly allowedValue?: string
  /** Why a name cannot have this value, as a sentence. */
  readonly fault?: (name: string, value: string) => string | undefined
}

/**
 * Names with values. `assign` is what stands between them on the command line: `:` for headers, `=` elsewhere.
 * Layers are joined by name; an empty value takes the name away.
 */
export function map(options: MapOptions): Kind<Readonly<Record<string, string>>> {
  const { assign, names, lowerCase = false, fault = () => undefined } = options
  const entries = z
    .record(z.string().regex(names), z.string().regex(/^[^\r\n\0]*$/))
    .refine((value) =>
      Object.entries(value).every(
        ([name, each]) => fault(lowerCase ? name.toLowerCase() : name, each) === undefined,
      ),
    )
  const readEntry = (name: string, value: string): readonly [string, string] | undefined => {
    const key = lowerCase ? name.trim().toLowerCase() : name.trim()
    return names.test(key) && !/[\r\n\0]/.test(value) ? [key, value.trim()] : undefined
  }
  const readLine = (line: string): readonly [string, string] | undefined => {
    const at = line.indexOf(assign)
    return at < 1 ? undefined : readEntry(line.slice(0, at), line.slice(at + 1))
  }
  return {
    name: 'map',
    schema: lowerCase ? entries.overwrite(withLowerCaseNames) : entries,
    placeholder: options.placeholder,
    allowed: options.allowed,
    allowedValue: options.allowedValue ?? 'an object of names and texts',
    repeats: true,
    merges: true,
    fileSchema: {
      anyOf: [
        { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean'] } },
        { type: 'array', items: { type: 'string' } },
        { type: 'string' },
      ],
    },
    read(raw) {
      const out: Record<string, string> = {}
      const given =
        raw.form === 'entries'
          ? raw.entries.map(([name, value]) => [name, readEntry(name, value)] as const)
          : (raw.form === 'items' ? raw.items : splitTexts(raw.texts, undefined)).map(
              (line) => [line, readLine(line)] as const,
            )
      for (const [asGiven, entry] of given) {
        if (entry === undefined) return { bad: asGiven }
        const why = fault(...entry)
        if (why !== undefined) return { bad: asGiven, why }
        Object.defineProperty(out, entry[0], {
          value: entry[1],
          enumerable: true,
          writable: true,
          configurable: true,
        })
      }
      return { value: out }
    },
    toText: (value) =>
      Object.entries(value)
        .map(([name, each]) => (assign === ':' ? `${name}: ${each}` : `${name}=${each}`))
        .join('\n'),
  }
}

function withLowerCaseNames(value: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name.toLowerCase(), each]))
}

/** `a, b or c`. */
function joinOr(words: readonly string[]): string {
  if (words.length < 2) return words.join('')
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}

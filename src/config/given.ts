import { TrawlError } from '../core/index.ts'
import type { ConfigValue } from './config-document.ts'
import type { Option } from './group.ts'
import type { Raw } from './kind.ts'
import { originText, type Origin } from './origin.ts'

/** One value that somebody gave for an option; `undefined` sets it back to its default. */
export interface Given {
  readonly option: Option
  readonly value: unknown
  readonly origin: Origin
}

// Deep option values are small, and compiling a validator for one use costs more than it saves.
const checking = { jitless: true }

/** Reads what a person wrote. Throws ERR_CONFIG_INVALID, which names the place, what was given, what is allowed. */
export function givenRaw(option: Option, raw: Raw, origin: Origin): Given {
  const { kind } = option.field
  const reading = kind.read(raw)
  if ('bad' in reading && reading.why !== undefined) throw invalid(option, origin, reading.why)
  if ('bad' in reading) throw refused(option, origin, reading.bad, kind.allowed)
  if (!kind.schema.safeParse(reading.value, checking).success) {
    throw refused(
      option,
      origin,
      raw.form === 'texts' ? raw.texts.join(', ') : kind.toText(reading.value),
      kind.allowed,
    )
  }
  return { option, value: reading.value, origin }
}

/** Checks a value in resolved form, as programs give it. Throws ERR_CONFIG_INVALID. */
export function givenValue(option: Option, value: unknown, origin: Origin): Given {
  const { kind } = option.field
  const result = kind.schema.safeParse(value, checking)
  if (!result.success) {
    throw refused(option, origin, briefly(value), kind.allowedValue ?? kind.allowed, true)
  }
  return { option, value: result.data, origin }
}

/** Reads a value of a configuration file; null sets the option back to its default. Throws ERR_CONFIG_INVALID. */
export function givenInFile(option: Option, value: ConfigValue, origin: Origin): Given {
  if (value.type === 'null') return { option, value: undefined, origin }
  const raw = rawOf(value)
  if (raw === undefined) throw refused(option, origin, 'a nested value', option.field.kind.allowed, true)
  return givenRaw(option, raw, origin)
}

function rawOf(value: ConfigValue): Raw | undefined {
  if (value.type === 'text') return { form: 'texts', texts: [value.text] }
  if (value.type === 'list') {
    const items = value.items.map(textOf)
    return items.every((item) => item !== undefined) ? { form: 'items', items } : undefined
  }
  if (value.type === 'map') {
    const entries = value.entries.map((entry) => [entry.key, textOf(entry.value)] as const)
    return entries.every((entry): entry is readonly [string, string] => entry[1] !== undefined)
      ? { form: 'entries', entries }
      : undefined
  }
  return undefined
}

function textOf(value: ConfigValue): string | undefined {
  return value.type === 'text' ? value.text : value.type === 'null' ? '' : undefined
}

function briefly(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    return typeof value
  }
}

function refused(option: Option, origin: Origin, given: string, allowed: string, plain = false): TrawlError {
  const shown =
    option.field.secret === true ? 'the value (not shown)' : shorten(plain ? given : JSON.stringify(given))
  return invalid(option, origin, `${shown} is not allowed: give ${allowed}`)
}

function shorten(text: string): string {
  return text.length > 100 ? `${text.slice(0, 97)}...` : text
}

/** ERR_CONFIG_INVALID at a place: `trawl.config.yaml:3:10: timeout: ...`, `--timeout: ...`. */
export function invalid(option: Option, origin: Origin, reason: string): TrawlError {
  const inFile = 'file' in origin
  const place = inFile ? `${originText(origin)}: ${option.key}` : originText(origin)
  return new TrawlError('ERR_CONFIG_INVALID', `${place}: ${reason}`, {
    context: {
      field: option.key,
      ...(inFile ? { file: origin.file, line: origin.line, column: origin.column } : {}),
    },
  })
}

import { catalog, type ErrorCode } from './catalog.ts'
import type { ErrorKind, ErrorScope, Retry } from './error-kind.ts'
import { redact } from './redact.ts'

const brand = Symbol.for('trawl.error')

/** Facts that say where an error happened. Values are redacted when the error is made. */
export interface ErrorContext {
  readonly url?: string
  readonly path?: string
  readonly file?: string
  readonly line?: number
  readonly column?: number | string
  readonly field?: string
  readonly status?: number
  readonly attempt?: number
  readonly [key: string]: unknown
}

export interface TrawlErrorOptions {
  readonly cause?: unknown
  readonly context?: ErrorContext
  /** Replaces the catalogue's hint where more is known. */
  readonly hint?: string
  /** Time to wait before another try, for `retry: 'after'`. */
  readonly retryAfterMs?: number
  /** Replaces the catalogue's answer where the case is known better. */
  readonly retry?: Retry
  readonly scope?: ErrorScope
}

/** The plain form of an error, as journals, reports and other processes carry it. */
export interface ErrorData {
  readonly code: ErrorCode
  readonly message: string
  readonly hint?: string
  readonly context?: ErrorContext
  readonly retryAfterMs?: number
}

/**
 * The only error class that leaves trawl. `code` is stable; `message` is one line for people; `retry`,
 * `scope`, `exitCode` and `hint` come from the catalogue. Recognised across realms by a symbol brand:
 * use `isTrawlError`, not `instanceof`.
 */
export class TrawlError extends Error {
  readonly code: ErrorCode
  readonly retry: Retry
  readonly scope: ErrorScope
  readonly hint: string
  readonly context: ErrorContext
  readonly retryAfterMs: number | undefined

  constructor(code: ErrorCode, message: string, options: TrawlErrorOptions = {}) {
    super(redact(message), options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'TrawlError'
    const kind: ErrorKind = catalog[code]
    this.code = code
    this.retry = options.retry ?? kind.retry
    this.scope = options.scope ?? kind.scope
    this.hint = options.hint ?? kind.hint
    this.context = options.context === undefined ? {} : redactContext(options.context)
    this.retryAfterMs = options.retryAfterMs
    Object.defineProperty(this, brand, { value: true })
  }

  get exitCode(): number {
    return catalog[this.code].exitCode
  }

  /** The plain, serialisable form. */
  toJSON(): ErrorData {
    return {
      code: this.code,
      message: this.message,
      ...(this.hint === catalog[this.code].hint ? {} : { hint: this.hint }),
      ...(Object.keys(this.context).length > 0 ? { context: this.context } : {}),
      ...(this.retryAfterMs === undefined ? {} : { retryAfterMs: this.retryAfterMs }),
    }
  }
}

export function isTrawlError(value: unknown): value is TrawlError {
  return typeof value === 'object' && value !== null && brand in value
}

/** Rebuilds an error from its plain form; an unknown code (from a newer trawl) becomes `ERR_INTERNAL`. */
export function fromErrorData(data: ErrorData): TrawlError {
  const code: ErrorCode = data.code in catalog ? data.code : 'ERR_INTERNAL'
  return new TrawlError(code, data.message, {
    ...(data.hint === undefined ? {} : { hint: data.hint }),
    ...(data.context === undefined ? {} : { context: data.context }),
    ...(data.retryAfterMs === undefined ? {} : { retryAfterMs: data.retryAfterMs }),
  })
}

/** Any thrown value as a `TrawlError`; what is not one of ours is a bug and becomes `ERR_INTERNAL`. */
export function toTrawlError(value: unknown, code: ErrorCode = 'ERR_INTERNAL'): TrawlError {
  if (isTrawlError(value)) return value
  const message = value instanceof Error ? value.message : String(value)
  return new TrawlError(code, message, { cause: value })
}

function redactContext(context: ErrorContext): ErrorContext {
  const out: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(context)) {
    if (value === undefined) continue
    out[key] = typeof value === 'string' ? redact(value) : value
  }
  return out
}

import { parseHttpDate } from './http-date.ts'

/**
 * Retry-After (RFC 9110, 10.2.3) as milliseconds from now: seconds or a date. What lies in the past is 0; what is
 * neither is undefined.
 */
export function parseRetryAfter(text: string | undefined, wallMs: number): number | undefined {
  if (text === undefined) return undefined
  const value = text.trim()
  if (/^-?\d+(\.\d+)?$/.test(value))
    return Math.max(0, Math.min(Number(value) * 1000, Number.MAX_SAFE_INTEGER))
  const at = parseHttpDate(value)
  return at === undefined ? undefined : Math.max(0, at - wallMs)
}

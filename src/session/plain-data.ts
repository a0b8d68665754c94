import { TrawlError } from '../core/index.ts'

/**
 * A copy of a value that another thread may have: URLs as text, everything else as it is. Throws ERR_MODE_UNSUPPORTED,
 * naming the place, for functions and for what works only in the thread that made it.
 */
export function plainData(value: unknown, place: string): unknown {
  if (typeof value === 'function') throw refused(place, 'a function')
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof URL) return value.href
  if (value instanceof AbortSignal) throw refused(place, 'a signal')
  if (Symbol.asyncIterator in value) throw refused(place, 'asynchronous input')
  if (Array.isArray(value)) return value.map((each, n) => plainData(each, `${place}[${n}]`))
  if (Object.getPrototypeOf(value) !== Object.prototype && Object.getPrototypeOf(value) !== null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, plainData(each, `${place}.${name}`)]),
  )
}

function refused(place: string, what: string): TrawlError {
  const name = place.replace(/^the (?:options|input)\./, '')
  return new TrawlError('ERR_MODE_UNSUPPORTED', `batchDownloadSync cannot take ${name}: it is ${what}`, {
    hint: 'The thread stands still while it downloads. Use batchDownload, which takes it.',
    context: { field: name },
  })
}

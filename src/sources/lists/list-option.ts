import {
  digestAlgorithms,
  digestHexLength,
  headerFault,
  parseSize,
  type Digest,
  type DigestAlgorithm,
} from '../../core/index.ts'
import type { ListOptions } from './list-entry.ts'

/** Options of one entry while its lines are being read. */
export type MutableListOptions = {
  -readonly [K in keyof ListOptions]: ListOptions[K]
}

/** What came of an option line: taken, not one we know, or a complaint in words. */
export type OptionResult = 'taken' | 'unknown' | { readonly fault: string }

const optionNames = new Map<string, (value: string, into: MutableListOptions) => OptionResult>([
  ['out', (value, into) => text(value, (v) => (into.out = v))],
  ['dir', (value, into) => text(value, (v) => (into.dir = v))],
  ['checksum', checksum],
  ['header', header],
  ['referer', (value, into) => field('referer', value, into)],
  ['user-agent', (value, into) => field('user-agent', value, into)],
  ['split', (value, into) => count(value, 'split', (v) => (into.split = v))],
  [
    'max-connection-per-server',
    (value, into) => count(value, 'max-connection-per-server', (v) => (into.maxConnectionsPerServer = v)),
  ],
  ['max-download-limit', rate],
])

/**
 * Applies one `name=value` line of aria2's input format (aria2c(1), "Input File") to the options of an entry.
 * Later lines win, but `header` and `checksum` add up.
 */
export function applyListOption(name: string, value: string, into: MutableListOptions): OptionResult {
  const apply = optionNames.get(name)
  return apply === undefined ? 'unknown' : apply(value, into)
}

function text(value: string, set: (value: string) => void): OptionResult {
  if (value === '') return { fault: 'the value is empty' }
  set(value)
  return 'taken'
}

function count(value: string, name: string, set: (value: number) => void): OptionResult {
  const number = Number(value)
  if (!/^\d{1,5}$/.test(value) || number < 1)
    return { fault: `${name} must be a number from 1, not "${value}"` }
  set(number)
  return 'taken'
}

function rate(value: string, into: MutableListOptions): OptionResult {
  const bytes = parseSize(value)
  if (bytes === undefined) return { fault: `max-download-limit must be a size such as 500K, not "${value}"` }
  // 0 is aria2's word for "no limit".
  if (bytes > 0) into.limitRateBps = bytes
  return 'taken'
}

function field(name: string, value: string, into: MutableListOptions): OptionResult {
  const fault = headerFault(name, value)
  if (fault !== undefined) return { fault }
  into.headers = { ...into.headers, [name]: value }
  return 'taken'
}

function header(value: string, into: MutableListOptions): OptionResult {
  const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*(.*?)\s*$/.exec(value)
  if (match === null) return { fault: 'header must be "Name: value"' }
  return field((match[1] ?? '').toLowerCase(), match[2] ?? '', into)
}

function checksum(value: string, into: MutableListOptions): OptionResult {
  const digest = parseDigest(value)
  if (typeof digest === 'string') return { fault: digest }
  into.digests = [...(into.digests ?? []), digest]
  return 'taken'
}

/** `sha-256=HEX` as a digest, or what is wrong with it. */
function parseDigest(value: string): Digest | string {
  const at = value.indexOf('=')
  const name = value.slice(0, Math.max(at, 0)).toLowerCase()
  const algorithm = digestAlgorithms.find((known): known is DigestAlgorithm => known === name)
  if (algorithm === undefined) {
    return `checksum must be TYPE=HEX with one of ${digestAlgorithms.join(', ')}, not "${value}"`
  }
  const hex = value.slice(at + 1).toLowerCase()
  const length = digestHexLength[algorithm]
  if (hex.length !== length || !/^[0-9a-f]+$/.test(hex)) {
    return `a ${algorithm} checksum has ${length} hexadecimal digits`
  }
  return { algorithm, value: hex }
}

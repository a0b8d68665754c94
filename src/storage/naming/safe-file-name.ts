import { splitName } from './file-extension.ts'
import { cutToBytes } from './utf8-cut.ts'

/** Longest name of a file on common file systems, in bytes of UTF-8. */
export const maxNameBytes = 255

/** How long a name may become. */
export interface NameLimits {
  /** Bytes of UTF-8 that one path component may take. Default 255. */
  readonly maxBytes?: number
  /** Bytes to leave free for something that is put behind the name later, such as `.part`. Default 0. */
  readonly reserveBytes?: number
}

export interface SafeNameOptions extends NameLimits {
  /** `guard` (default) puts `_` before a leading `.` or `-`; `keep` leaves what a user typed. */
  readonly leading?: 'guard' | 'keep'
}

/**
 * Plain names that need nothing: ASCII, no leading dot, dash or space, no trailing dot or space, no DOS device.
 */
const plain =
  /^(?!(?:con|prn|aux|nul|com\d|lpt\d)(?:[ .]|$)|(?:clock|conin|conout)\$|[. -])[\w .()+,=@#~!'&%;[\]{}$^`-]*[\w()+,=@#~!'&%;[\]{}$^`-]$/i

/** Zero-width characters, bidi controls, soft hyphens, tags: seen by no reader, used to deceive. */
const invisible = /[\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]/gu

/** Separators, control characters, line separators, lone surrogates, and what Windows forbids. */
const forbidden = /[\p{Cc}\u2028\u2029\p{Cs}\ufffe\uffff<>:"/\\|?*]/gu

const device = /^(?:con|prn|aux|nul|clock\$|conin\$|conout\$|(?:com|lpt)[\d\u00b9\u00b2\u00b3])\s*(?:\.|$)/i

/** The folder of the state: no download may take its name. */
const stateFolder = /^\.trawl$/i

/**
 * A text as one path component that is safe on Linux, macOS and Windows: never empty, `.` or `..`; no separators,
 * controls, bidi or zero-width characters, none of `<>:"|?*`; no trailing dots or spaces; no DOS device names; in
 * NFC; at most `maxBytes - reserveBytes` bytes, cut between graphemes with the extension kept. What is forbidden
 * becomes `_`, what is invisible goes. Applied to its own result it changes nothing.
 */
export function safeFileName(text: string, options?: SafeNameOptions): string {
  const limit =
    options === undefined
      ? maxNameBytes
      : Math.max(1, (options.maxBytes ?? maxNameBytes) - (options.reserveBytes ?? 0))
  if (text.length <= limit && plain.test(text)) return text
  const clean = text.replace(invisible, '').normalize('NFC').replace(forbidden, '_')
  return settle(clean, limit, options?.leading === 'keep')
}

/** Cutting may uncover a trailing dot or a device name, and guarding may make a name too long: until all agree. */
function settle(text: string, limit: number, keepLeading: boolean): string {
  let name = text
  for (let round = 0; round < 8; round++) {
    const next = shorten(guard(trim(name), keepLeading), limit)
    if (next === name) return name
    name = next
  }
  return '_'
}

function guard(name: string, keepLeading: boolean): string {
  if (name === '') return '_'
  const first = name.charCodeAt(0)
  const leads = !keepLeading && (first === 0x2e || first === 0x2d)
  return leads || device.test(name) || stateFolder.test(name) ? `_${name}` : name
}

function trim(name: string): string {
  // Not a regular expression: on long runs of dots it would take quadratic time.
  let end = name.length
  while (end > 0 && isDotOrSpace(name, end - 1)) end--
  return name.slice(0, end).trimStart()
}

function isDotOrSpace(name: string, at: number): boolean {
  const code = name.charCodeAt(at)
  return code === 0x2e || code === 0x20 || (code > 0x7f && name.charAt(at).trim() === '')
}

function shorten(name: string, limit: number): string {
  if (name.length * 3 <= limit || Buffer.byteLength(name) <= limit) return name
  const { stem, extension } = splitName(name)
  const room = limit - Buffer.byteLength(extension)
  return room < 1 ? cutToBytes(name, limit) : `${trim(cutToBytes(stem, room))}${extension}`
}

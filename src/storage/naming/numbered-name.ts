import { splitName } from './file-extension.ts'
import { maxNameBytes, type NameLimits } from './safe-file-name.ts'
import { cutToBytes } from './utf8-cut.ts'

/**
 * The name, or the last component of a path, with a number before its extension: `a.tar.gz` and 2 give
 * `a (2).tar.gz`. The byte limit is kept by shortening the part before the number.
 */
export function withNumber(name: string, number: number, limits?: NameLimits): string {
  const slash = name.lastIndexOf('/')
  const { stem, extension } = splitName(slash < 0 ? name : name.slice(slash + 1))
  const suffix = ` (${number})${extension}`
  const limit = (limits?.maxBytes ?? maxNameBytes) - (limits?.reserveBytes ?? 0)
  const room = Math.max(1, limit - Buffer.byteLength(suffix))
  const short = cutToBytes(stem, room)
  return `${slash < 0 ? '' : name.slice(0, slash + 1)}${short === '' ? '_' : short}${suffix}`
}

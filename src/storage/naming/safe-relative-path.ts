import { TrawlError } from '../../core/index.ts'
import { safeFileName, type NameLimits } from './safe-file-name.ts'

/**
 * A path that a user, a list or a caller gave, relative to the output root: components joined by `/`, each made
 * safe, with leading dots and dashes left as they are. Backslashes separate as slashes do, on every system. What
 * a server says is never a path: use `safeFileName`.
 *
 * @throws ERR_PATH_UNSAFE where the path is empty, absolute, has a drive letter or `..`, or leads into the
 * folder `.trawl`.
 */
export function safeRelativePath(text: string, limits?: NameLimits): string {
  const parts = splitUserPath(text)
  if (parts.length === 0) throw unsafe(text, 'it is empty')
  return parts.map((part) => safeFileName(part, { ...limits, leading: 'keep' })).join('/')
}

/**
 * The components of a path that a user gave, not yet made safe; empty ones and `.` are left out.
 *
 * @throws ERR_PATH_UNSAFE where the path is absolute, has a drive letter or `..`, or leads into `.trawl`.
 */
export function splitUserPath(text: string): string[] {
  if (/^[\\/]/.test(text)) throw unsafe(text, 'it is absolute')
  if (/^[a-z]:/i.test(text)) throw unsafe(text, 'it begins with a drive letter')
  const parts = text.split(/[\\/]/).filter((part) => part !== '' && part !== '.')
  if (parts.some((part) => /^\s*\.\.\s*$/.test(part))) throw unsafe(text, 'it has ..')
  if (/^\.trawl[. ]*$/i.test(parts[0] ?? '')) throw unsafe(text, '.trawl belongs to trawl itself')
  return parts
}

function unsafe(text: string, reason: string): TrawlError {
  return new TrawlError('ERR_PATH_UNSAFE', `the path ${JSON.stringify(text)} is not usable: ${reason}`, {
    context: { path: text },
  })
}

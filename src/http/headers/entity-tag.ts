import type { EntityTag } from '../../core/index.ts'

/**
 * ETag (RFC 9110, 8.8.3). Servers that leave the quotes out are understood; such a tag is taken as weak, since it
 * cannot be sent back as it came.
 */
export function parseEntityTag(text: string | undefined): EntityTag | undefined {
  if (text === undefined) return undefined
  const value = text.trim()
  const match = /^(W\/)?"([^"]*)"$/i.exec(value)
  if (match) return { weak: match[1] !== undefined, value: match[2] ?? '' }
  return value === '' || value.length > 1024 ? undefined : { weak: true, value: value.replaceAll('"', '') }
}

const userInfo = /(\b[a-z][a-z0-9+.-]*:\/\/)[^/\s?#@]+@/gi
const secretParameter =
  /([?&;](?:[^=&#\s]*(?:token|secret|signature|passwd|password|api_?key|access_?key|credential)[^=&#\s]*|sig|key|auth|x-amz-[^=&#\s]+|policy)=)[^&#\s]+/gi
const authorization = /\b(bearer|basic|digest)\s+[a-z0-9+/=._~-]{6,}/gi

/**
 * Replaces secrets in a text by `***`: user information in URLs, query parameters that carry signatures,
 * tokens or keys, and Authorization values. Everything that is logged, reported or thrown passes here.
 */
export function redact(text: string): string {
  if (!text.includes(':') && !text.includes('=') && !text.includes(' ')) return text
  return text.replace(userInfo, '$1***@').replace(secretParameter, '$1***').replace(authorization, '$1 ***')
}

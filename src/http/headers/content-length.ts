/** Content-Length (RFC 9110, 8.6) in bytes; undefined when it is missing or no exact number. */
export function parseContentLength(text: string | undefined): number | undefined {
  if (text === undefined || !/^\s*\d+\s*$/.test(text)) return undefined
  const length = Number(text)
  return Number.isSafeInteger(length) ? length : undefined
}

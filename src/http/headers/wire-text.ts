/**
 * A header value as its sender meant it. Values arrive as Latin-1, byte by byte; many servers write UTF-8 into
 * them. What is not valid UTF-8 stays as it is.
 */
export function decodeWireText(value: string): string {
  if (!/[\u0080-\u00ff]/.test(value) || /[\u0100-\uffff]/.test(value)) return value
  return decodeUtf8(Buffer.from(value, 'latin1')) ?? value
}

/** Bytes as UTF-8; undefined when they are not. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

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

const ascii = /^[\t -~]*$/

/** True for text that is the same in every encoding, and without control characters. */
export function isAscii(text: string): boolean {
  return ascii.test(text)
}

/** Text as the bytes of its UTF-8, each as one character: how it is sent where Latin-1 is written. */
export function utf8AsLatin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}

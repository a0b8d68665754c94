/** A number as PDF writes it: at most four decimals, never an exponent (ISO 32000-1, 7.3.3). */
export function pdfNumber(value: number): string {
  const text = value.toFixed(4).replace(/\.?0+$/, '')
  return text === '-0' ? '0' : text
}

/** A hexadecimal string (7.3.4.3). */
export function pdfHex(bytes: Uint8Array): string {
  return `<${Buffer.from(bytes).toString('hex')}>`
}

/** The bytes of a text string (7.9.2.2): ASCII as it is, everything else as UTF-16 with a byte order mark. */
export function pdfTextBytes(text: string): Buffer {
  if (/^[\t\n\r\x20-\x7e]*$/.test(text)) return Buffer.from(text, 'latin1')
  const bytes = Buffer.from(`\ufeff${text.toWellFormed()}`, 'utf16le')
  return bytes.swap16()
}

/** A string object of these bytes: literal where that is readable, else hexadecimal. */
export function pdfString(bytes: Buffer): string {
  const text = bytes.toString('latin1')
  if (!/^[\x20-\x7e]*$/.test(text)) return pdfHex(bytes)
  return `(${text.replaceAll(/[\\()]/g, String.raw`\$&`)})`
}

/** A reference to an object (7.3.10). */
export function pdfRef(id: number): string {
  return `${id} 0 R`
}

/** A TIFF with one strip around Group 4 fax data (TIFF 6.0, sections 2 and 11). */
export function g4Tiff(data: Buffer, widthPx: number, heightPx: number, blackIs1: boolean): Buffer {
  const short = 3
  const long = 4
  const fields: readonly (readonly [number, number, number])[] = [
    [256, long, widthPx],
    [257, long, heightPx],
    [258, short, 1],
    [259, short, 4],
    [262, short, blackIs1 ? 1 : 0],
    [273, long, 0],
    [277, short, 1],
    [278, long, heightPx],
    [279, long, data.length],
  ]
  const head = Buffer.alloc(8 + 2 + fields.length * 12 + 4)
  head.write('II*\0', 0, 'latin1')
  head.writeUInt32LE(8, 4)
  head.writeUInt16LE(fields.length, 8)
  for (const [i, [tag, type, value]] of fields.entries()) {
    const at = 10 + i * 12
    head.writeUInt16LE(tag, at)
    head.writeUInt16LE(type, at + 2)
    head.writeUInt32LE(1, at + 4)
    head.writeUInt32LE(tag === 273 ? head.length : value, at + 8)
  }
  return Buffer.concat([head, data])
}

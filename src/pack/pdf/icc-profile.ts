/** Device classes that an image may carry: input, display, output and colour space profiles. */
const classes: ReadonlySet<string> = new Set(['scnr', 'mntr', 'prtr', 'spac'])
const components: Readonly<Record<string, number>> = { GRAY: 1, 'RGB ': 3, CMYK: 4 }

/**
 * True where a profile may stand for an image with this many colour components in a PDF: it is whole, of version 2
 * to 4, of a fitting class, and its colour space has as many components (ISO 32000-1, 8.6.5.5). Viewers refuse or
 * mispaint images whose profile does not fit, so such a profile is left out.
 */
export function isUsableProfile(profile: Buffer, componentCount: number): boolean {
  if (profile.length < 132 || profile.readUInt32BE(0) !== profile.length) return false
  if (profile.toString('latin1', 36, 40) !== 'acsp') return false
  const version = profile[8] ?? 0
  if (version < 2 || version > 4) return false
  if (!classes.has(profile.toString('latin1', 12, 16))) return false
  return components[profile.toString('latin1', 16, 20)] === componentCount
}

/**
 * A display profile for sRGB (IEC 61966-2-1), built from the numbers of the standard: ICC version 4.2, matrix and
 * parametric curves, adapted to D50. Always the same bytes.
 */
export function srgbProfile(): Buffer {
  const curve = Buffer.concat([
    tagType('para'),
    u16(3, 0),
    fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045),
  ])
  const tags: readonly (readonly [readonly string[], Buffer])[] = [
    [['desc'], localised('sRGB')],
    [['cprt'], localised('No copyright, use freely')],
    [['wtpt'], xyz(0.9642, 1, 0.8249)],
    // Bradford adaptation from D65 to D50.
    [
      ['chad'],
      Buffer.concat([
        tagType('sf32'),
        fixed(
          1.047_882,
          0.022_919,
          -0.050_216,
          0.029_587,
          0.990_479,
          -0.017_059,
          -0.009_232,
          0.015_076,
          0.751_678,
        ),
      ]),
    ],
    [['rXYZ'], xyz(0.436_066, 0.222_488, 0.013_916)],
    [['gXYZ'], xyz(0.385_147, 0.716_873, 0.097_076)],
    [['bXYZ'], xyz(0.143_066, 0.060_608, 0.714_096)],
    [['rTRC', 'gTRC', 'bTRC'], curve],
  ]
  return assemble(tags)
}

function assemble(tags: readonly (readonly [readonly string[], Buffer])[]): Buffer {
  const count = tags.reduce((sum, [names]) => sum + names.length, 0)
  let offset = 128 + 4 + count * 12
  const table: Buffer[] = [u32(count)]
  const bodies: Buffer[] = []
  for (const [names, body] of tags) {
    for (const name of names) table.push(Buffer.from(name, 'latin1'), u32(offset, body.length))
    const padded = Buffer.concat([body, Buffer.alloc((4 - (body.length % 4)) % 4)])
    bodies.push(padded)
    offset += padded.length
  }
  return Buffer.concat([header(offset), ...table, ...bodies])
}

/** The profile header (ICC.1:2010, 7.2). */
function header(sizeBytes: number): Buffer {
  const out = Buffer.alloc(128)
  out.writeUInt32BE(sizeBytes, 0)
  out.writeUInt32BE(0x04_20_00_00, 8)
  out.write('mntrRGB XYZ ', 12, 'latin1')
  // A fixed date, so that the bytes never change.
  for (const [i, part] of [2000, 1, 1, 0, 0, 0].entries()) out.writeUInt16BE(part, 24 + i * 2)
  out.write('acsp', 36, 'latin1')
  fixed(0.9642, 1, 0.8249).copy(out, 68)
  return out
}

function tagType(name: string): Buffer {
  return Buffer.from(`${name}\0\0\0\0`, 'latin1')
}

function xyz(x: number, y: number, z: number): Buffer {
  return Buffer.concat([tagType('XYZ '), fixed(x, y, z)])
}

/** A text of type multiLocalizedUnicode with one English record. */
function localised(text: string): Buffer {
  const body = Buffer.from(text, 'utf16le').swap16()
  return Buffer.concat([
    tagType('mluc'),
    u32(1, 12),
    Buffer.from('enUS', 'latin1'),
    u32(body.length, 28),
    body,
  ])
}

/** Numbers as s15Fixed16. */
function fixed(...values: readonly number[]): Buffer {
  const out = Buffer.alloc(values.length * 4)
  for (const [i, value] of values.entries()) out.writeInt32BE(Math.round(value * 65_536), i * 4)
  return out
}

function u32(...values: readonly number[]): Buffer {
  const out = Buffer.alloc(values.length * 4)
  for (const [i, value] of values.entries()) out.writeUInt32BE(value, i * 4)
  return out
}

function u16(...values: readonly number[]): Buffer {
  const out = Buffer.alloc(values.length * 2)
  for (const [i, value] of values.entries()) out.writeUInt16BE(value, i * 2)
  return out
}

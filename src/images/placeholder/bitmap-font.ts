/** Pixels of a character cell. */
export const GLYPH_WIDTH = 5
export const GLYPH_HEIGHT = 7

// Five columns a character, two hexadecimal digits each; the lowest bit is the top row.
const columns = [
  // !"#$%&'()*+,-./
  '0000000000 00005f0000 0007000700 147f147f14 242a7f2a12 2313086462 3649552250 0005030000',
  '001c224100 0041221c00 082a1c2a08 08083e0808 0050300000 0808080808 0060600000 2010080402',
  // 0123456789:;<=>?
  '3e5149453e 00427f4000 4261514946 2141454b31 1814127f10 2745454539 3c4a494930 0171090503',
  '3649494936 064949291e 0036360000 0056360000 0814224100 1414141414 4122140800 0201510906',
  // @ABCDEFGHIJKLMNO
  '324979413e 7e1111117e 7f49494936 3e41414122 7f4141221c 7f49494941 7f09090901 3e4149497a',
  '7f0808087f 00417f4100 2040413f01 7f08142241 7f40404040 7f020c027f 7f0408107f 3e4141413e',
  // PQRSTUVWXYZ[\]^_
  '7f09090906 3e4151215e 7f09192946 4649494931 01017f0101 3f4040403f 1f2040201f 3f4038403f',
  '6314081463 0304780403 6151494543 007f414100 0204081020 0041417f00 0402010204 4040404040',
  // `abcdefghijklmno
  '0001020400 2054545478 7f48444438 3844444420 384444487f 3854545418 087e090102 0c5252523e',
  '7f08040478 00447d4000 2040443d00 7f10284400 00417f4000 7c04180478 7c08040478 3844444438',
  // pqrstuvwxyz{|}~
  '7c14141408 081414187c 7c08040408 4854545420 043f444020 3c4040207c 1c2040201c 3c4030403c',
  '4428102844 0c5050503c 4464544c44 0008364100 00007f0000 0041360800 0408040810',
]

const table = Buffer.from(columns.join(' ').replaceAll(' ', ''), 'hex')

/** A frame, for characters the font does not have. */
const unknown = [0x7f, 0x41, 0x41, 0x41, 0x7f]

/** The five columns of a character, the lowest bit at the top. */
export function glyph(character: string): readonly number[] {
  const index = (character.codePointAt(0) ?? 0) - 0x20
  if (index < 0 || index > 94) return unknown
  return [...table.subarray(index * GLYPH_WIDTH, (index + 1) * GLYPH_WIDTH)]
}

const replacements: Readonly<Record<string, string>> = {
  '\u2010': '-',
  '\u2011': '-',
  '\u2012': '-',
  '\u2013': '-',
  '\u2014': '-',
  '\u2018': "'",
  '\u2019': "'",
  '\u201c': '"',
  '\u201d': '"',
  '\u00d7': 'x',
  '\u00df': 'ss',
  '\u00e6': 'ae',
  '\u00f8': 'o',
  '\u0142': 'l',
  '\u0111': 'd',
}

/** A text in the characters of the font: accents go, dashes and quotes become plain, the rest stays as it is. */
export function plainText(text: string): string {
  const bare = text.normalize('NFKD').replaceAll(/\p{M}/gu, '')
  return bare.replaceAll(/[^ -~]/gu, (character) => replacements[character] ?? character)
}

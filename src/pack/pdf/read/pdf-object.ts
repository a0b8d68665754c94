/** A name, such as `/Type`. */
export class PdfName {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

/** A reference to an indirect object. */
export class PdfRef {
  readonly id: number
  readonly generation: number
  constructor(id: number, generation: number) {
    this.id = id
    this.generation = generation
  }
}

/** A word that is no object: an operator of a content stream, or `obj`, `stream` and the like. */
export class PdfKeyword {
  readonly word: string
  constructor(word: string) {
    this.word = word
  }
}

export type PdfDict = Map<string, PdfObject>

/** Any direct object (ISO 32000-1, 7.3). Strings are their bytes. */
export type PdfObject =
  | null
  | boolean
  | number
  | Buffer
  | PdfName
  | PdfRef
  | PdfKeyword
  | PdfObject[]
  | PdfDict

/** The name, or undefined where it is something else. */
export function nameOf(value: PdfObject | undefined): string | undefined {
  return value instanceof PdfName ? value.name : undefined
}

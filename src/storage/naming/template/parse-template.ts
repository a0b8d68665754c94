import { TrawlError } from '../../../core/index.ts'
import type { FieldChoice, TemplatePiece } from './template-piece.ts'
import { parseValueFormat, type ValueFormat } from './value-format.ts'

const deepest = 8

/** What the parser may know about the fields that will have values. */
export interface TemplateRules {
  /** Name of the option, for messages. Default `name`. */
  readonly option?: string
  /** Fields that exist; `header.*` stands for all that begin with `header.`. Without it every name is allowed. */
  readonly fields?: readonly string[]
}

/**
 * Parses a name template; the language is described in docs/naming.md.
 *
 * @throws ERR_CONFIG_INVALID with the column of the mistake.
 */
export function parseTemplate(template: string, rules: TemplateRules): readonly TemplatePiece[] {
  return new TemplateParser(template, rules).parse()
}

class TemplateParser {
  readonly #text: string
  readonly #rules: TemplateRules
  #at = 0

  constructor(text: string, rules: TemplateRules) {
    this.#text = text
    this.#rules = rules
  }

  parse(): TemplatePiece[] {
    return this.#pieces(0, 0)
  }

  /** Pieces up to the end of the text or, inside an optional part that began at `start`, up to its `?}`. */
  #pieces(depth: number, start: number): TemplatePiece[] {
    const pieces: TemplatePiece[] = []
    let text = ''
    const flush = (): void => {
      if (text !== '') pieces.push({ kind: 'text', text })
      text = ''
    }
    for (;;) {
      const two = this.#text.slice(this.#at, this.#at + 2)
      const one = two.charAt(0)
      if (one === '' || (depth > 0 && two === '?}')) break
      if (two === '{{' || two === '}}') {
        text += one
        this.#at += 2
      } else if (one === '/' || one === '\\') {
        flush()
        pieces.push({ kind: 'folder' })
        this.#at++
      } else if (one === '{') {
        flush()
        pieces.push(two === '{?' ? this.#optional(depth + 1) : this.#field())
      } else if (one === '}') {
        throw this.#error(this.#at, 'a "}" stands alone; write "}}" for a brace')
      } else {
        text += one
        this.#at++
      }
    }
    if (depth > 0 && this.#at >= this.#text.length) throw this.#error(start, '"{?" is not closed by "?}"')
    flush()
    return pieces
  }

  #optional(depth: number): TemplatePiece {
    const start = this.#at
    if (depth > deepest) throw this.#error(start, 'optional parts are nested too deeply')
    this.#at += 2
    const pieces = this.#pieces(depth, start)
    this.#at += 2
    if (!pieces.some((piece) => piece.kind === 'field' || piece.kind === 'optional')) {
      throw this.#error(start, 'an optional part has no field')
    }
    return { kind: 'optional', pieces }
  }

  #field(): TemplatePiece {
    const start = this.#at
    this.#at++
    const choices = [this.#choice(start)]
    while (this.#text.charAt(this.#at) === '|') {
      this.#at++
      choices.push(this.#choice(start))
    }
    const formats: ValueFormat[] = []
    while (this.#text.charAt(this.#at) === ':') formats.push(this.#format())
    if (this.#text.charAt(this.#at) !== '}') throw this.#error(start, '"{" is not closed')
    this.#at++
    return { kind: 'field', choices, formats }
  }

  #choice(field: number): FieldChoice {
    const spaces = /^ */.exec(this.#text.slice(this.#at))?.[0].length ?? 0
    const start = this.#at + spaces
    if (this.#text.charAt(start) === '"') return this.#literal(start)
    const name = this.#until(/[|:}{"]/)
    if (this.#at >= this.#text.length) throw this.#error(field, '"{" is not closed')
    if (name === '') throw this.#error(start, 'the name of a field is missing')
    this.#checkKnown(name, start)
    return { kind: 'name', name }
  }

  #literal(start: number): FieldChoice {
    const end = this.#text.indexOf('"', start + 1)
    if (end < 0) throw this.#error(start, 'the quote is not closed')
    this.#at = end + 1
    const rest = this.#until(/[|:}{"]/)
    if (rest !== '') throw this.#error(end + 1, 'after the quote "|", ":" or "}" is expected')
    return { kind: 'literal', text: this.#text.slice(start + 1, end) }
  }

  #format(): ValueFormat {
    const start = this.#at + 1
    this.#at = start
    const text = this.#until(/[:}{]/)
    const format = parseValueFormat(text)
    if (format === undefined) {
      throw this.#error(start, `unknown format ${JSON.stringify(text)}`, {
        hint: 'Formats are 05, .80b, .20, lower, upper, title, folders and dates such as %Y-%m-%d; see docs/naming.md.',
      })
    }
    return format
  }

  /** The text up to a character of `stop`, without spaces at its ends. */
  #until(stop: RegExp): string {
    const rest = this.#text.slice(this.#at)
    const length = stop.exec(rest)?.index ?? rest.length
    this.#at += length
    return rest.slice(0, length).trim()
  }

  #checkKnown(name: string, at: number): void {
    const fields = this.#rules.fields
    if (fields === undefined || fields.includes(name)) return
    if (fields.some((field) => field.endsWith('.*') && name.startsWith(field.slice(0, -1)))) return
    throw this.#error(at, `unknown field ${JSON.stringify(name)}`, {
      hint: `Fields are ${fields.join(', ')}.`,
    })
  }

  #error(at: number, problem: string, options?: { readonly hint: string }): TrawlError {
    const option = this.#rules.option ?? 'name'
    return new TrawlError('ERR_CONFIG_INVALID', `name template (${option}), column ${at + 1}: ${problem}`, {
      ...options,
      context: { field: option, column: at + 1, template: this.#text },
    })
  }
}

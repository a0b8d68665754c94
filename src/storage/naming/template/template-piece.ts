import type { ValueFormat } from './value-format.ts'

/** A parsed name template is a list of these. */
export type TemplatePiece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'folder' }
  | {
      readonly kind: 'field'
      /** Tried in order: the first that has a value is used. */
      readonly choices: readonly FieldChoice[]
      readonly formats: readonly ValueFormat[]
    }
  | { readonly kind: 'optional'; readonly pieces: readonly TemplatePiece[] }

/** One alternative of a field: the name of a value, or a text in quotes. */
export type FieldChoice =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'literal'; readonly text: string }

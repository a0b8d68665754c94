import { TrawlError } from '../../../core/index.ts'
import { safeFileName, type NameLimits, type SafeNameOptions } from '../safe-file-name.ts'
import { splitUserPath } from '../safe-relative-path.ts'
import { parseTemplate, type TemplateRules } from './parse-template.ts'
import type { TemplatePiece } from './template-piece.ts'
import { formatValue, type TemplateValue } from './value-format.ts'

export interface NameTemplateOptions extends TemplateRules {
  /** How long each component may become. */
  readonly limits?: NameLimits
}

/** Values by field name. A field that is absent, undefined or empty has no value. */
export type TemplateValues = Readonly<Record<string, TemplateValue | undefined>>

/** A compiled name template. */
export interface NameTemplate {
  readonly text: string
  /** Names of all fields it asks for, each once, so that nothing else need be computed. */
  readonly fields: readonly string[]
  /**
   * A safe relative path with `/`. A value makes no folder unless the template says `:folders`; folders without a
   * name are left out; a file without a name is `_`. Never throws.
   */
  render(values: TemplateValues): string
}

/**
 * Compiles a name template such as `{host}/{ordinal:05} {title|name:.80b}`; the language is in docs/naming.md.
 *
 * @throws ERR_CONFIG_INVALID with the column of the mistake; ERR_PATH_UNSAFE where the template itself is
 * absolute, has `..`, or leads into `.trawl`.
 */
export function compileTemplate(text: string, options: NameTemplateOptions = {}): NameTemplate {
  const pieces = parseTemplate(text, options)
  checkPath(text, pieces, options.option ?? 'name')
  const guarded: SafeNameOptions = { ...options.limits }
  const kept: SafeNameOptions = { ...options.limits, leading: 'keep' }
  return {
    text,
    fields: [...new Set(fieldsOf(pieces))],
    render(values) {
      const path = new PathBuilder()
      renderPieces(pieces, values, path)
      const last = path.components.length - 1
      return path.components
        .filter((component, i) => i === last || component.text.trim() !== '')
        .map((component) => safeFileName(component.text, component.beginsAsTyped ? kept : guarded))
        .join('/')
    },
  }
}

interface Component {
  text: string
  /** True when the first character is of the template, which may then be a dot or a dash. */
  beginsAsTyped: boolean
}

class PathBuilder {
  readonly components: Component[] = [{ text: '', beginsAsTyped: false }]

  add(text: string, isTyped: boolean): void {
    const last = this.components.at(-1)
    if (last === undefined || text === '') return
    if (last.text === '') last.beginsAsTyped = isTyped
    last.text += text
  }

  folder(): void {
    this.components.push({ text: '', beginsAsTyped: false })
  }

  addFolders(value: string): void {
    // `.` and `..` of a value lead nowhere.
    const parts = value.split(/[\\/]+/).filter((part) => !/^[\s.]*$/.test(part))
    for (const [i, part] of parts.entries()) {
      if (i > 0) this.folder()
      this.add(part, false)
    }
  }
}

function renderPieces(pieces: readonly TemplatePiece[], values: TemplateValues, path: PathBuilder): void {
  for (const piece of pieces) {
    if (piece.kind === 'text') path.add(piece.text, true)
    else if (piece.kind === 'folder') path.folder()
    else if (piece.kind === 'optional') {
      if (isComplete(piece.pieces, values)) renderPieces(piece.pieces, values, path)
    } else {
      const found = valueOf(piece, values)
      if (found === undefined) continue
      const text = formatValue(found.value, piece.formats)
      if (piece.formats.some((format) => format.kind === 'folders')) path.addFolders(text)
      else path.add(text, found.isTyped)
    }
  }
}

type FieldPiece = Extract<TemplatePiece, { kind: 'field' }>

function valueOf(
  piece: FieldPiece,
  values: TemplateValues,
): { readonly value: TemplateValue; readonly isTyped: boolean } | undefined {
  for (const choice of piece.choices) {
    if (choice.kind === 'literal') return { value: choice.text, isTyped: true }
    const value = Object.hasOwn(values, choice.name) ? values[choice.name] : undefined
    if (value !== undefined && value !== '') return { value, isTyped: false }
  }
  return undefined
}

/** Every field has a value; inner optional parts do not count. */
function isComplete(pieces: readonly TemplatePiece[], values: TemplateValues): boolean {
  return pieces.every((piece) => piece.kind !== 'field' || valueOf(piece, values) !== undefined)
}

function fieldsOf(pieces: readonly TemplatePiece[]): string[] {
  return pieces.flatMap((piece) => {
    if (piece.kind === 'optional') return fieldsOf(piece.pieces)
    if (piece.kind !== 'field') return []
    return piece.choices.flatMap((choice) => (choice.kind === 'name' ? [choice.name] : []))
  })
}

/** The path that the template would give if every field were a plain word. */
function checkPath(text: string, pieces: readonly TemplatePiece[], option: string): void {
  const example = examplePath(pieces)
  splitUserPath(example)
  if (example !== '' && !/[\\/]$/.test(example)) return
  const problem = example === '' ? 'it is empty' : 'it ends with a folder; the name of the file is missing'
  throw new TrawlError(
    'ERR_CONFIG_INVALID',
    `name template (${option}), column ${text.length + 1}: ${problem}`,
    {
      context: { field: option, column: text.length + 1, template: text },
    },
  )
}

function examplePath(pieces: readonly TemplatePiece[]): string {
  return pieces
    .map((piece) => {
      if (piece.kind === 'text') return piece.text
      if (piece.kind === 'folder') return '/'
      return piece.kind === 'field' ? 'x' : examplePath(piece.pieces)
    })
    .join('')
}

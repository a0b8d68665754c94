/** Text for HTML content and quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`)
}

/** A whole number with thin gaps, such as 1 234 567. */
export function wholeNumber(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, '\u202f')
}

/** `12.3 %`; a share that is not nothing is never shown as nothing. */
export function percent(part: number, whole: number): string {
  if (whole === 0) return '-'
  const share = (100 * part) / whole
  return part > 0 && share < 0.1 ? '< 0.1\u202f%' : `${share.toFixed(1)}\u202f%`
}

/** How a table looks. */
export interface TableLook {
  /** A class of the table. */
  readonly kind?: string
  /** Columns of words, from 0: they begin at their left edge. The first one always does. */
  readonly words?: readonly number[]
}

/** A table with a caption and headed columns; the first cell of a row heads it. Cells are HTML. */
export function table(
  caption: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { kind, words = [] }: TableLook = {},
): string {
  const look = (column: number): string => (words.includes(column) ? ' class="words"' : '')
  const heads = head.map((cell, i) => `<th scope="col"${look(i)}>${escapeHtml(cell)}</th>`).join('')
  const body = rows.map(([first = '', ...rest]) => {
    const cells = rest.map((cell, i) => `<td${look(i + 1)}>${cell}</td>`).join('')
    return `<tr><th scope="row">${first}</th>${cells}</tr>`
  })
  return `<table${kind === undefined ? '' : ` class="${kind}"`}><caption>${escapeHtml(caption)}</caption><thead><tr>${heads}</tr></thead><tbody>${body.join('\n')}</tbody></table>`
}

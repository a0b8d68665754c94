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

/** A table with a caption and headed columns; the first cell of a row heads it. Cells are HTML. */
export function table(
  caption: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const heads = head.map((cell) => `<th scope="col">${escapeHtml(cell)}</th>`).join('')
  const body = rows.map(
    ([first = '', ...rest]) =>
      `<tr><th scope="row">${first}</th>${rest.map((cell) => `<td>${cell}</td>`).join('')}</tr>`,
  )
  return `<table><caption>${escapeHtml(caption)}</caption><thead><tr>${heads}</tr></thead><tbody>${body.join('\n')}</tbody></table>`
}

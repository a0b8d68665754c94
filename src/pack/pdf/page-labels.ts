import { fromRoman, toRoman } from './roman.ts'

interface LabelForm {
  /** `D` decimal, `r` and `R` roman, `` for a prefix alone (ISO 32000-1, table 159). */
  readonly style: 'D' | 'r' | 'R' | ''
  readonly prefix: string
  readonly number: number
}

interface LabelRange extends LabelForm {
  readonly page: number
}

/**
 * Gathers page labels into ranges: consecutive decimal or roman numbers under one prefix are one range, whatever is
 * no number is a prefix of its own. Pages without a label get their place in the book.
 */
export class PageLabels {
  readonly #ranges: LabelRange[] = []
  #last: LabelForm | undefined
  #pages = 0
  #given = false

  add(label: string | undefined): void {
    const page = this.#pages++
    if (label !== undefined) this.#given = true
    const form = this.#continued(label ?? String(page + 1)) ?? parseLabel(label ?? String(page + 1))
    const follows =
      this.#last !== undefined &&
      form.style !== '' &&
      form.style === this.#last.style &&
      form.prefix === this.#last.prefix &&
      form.number === this.#last.number + 1
    if (!follows) this.#ranges.push({ ...form, page })
    this.#last = form
  }

  /** The number tree, or undefined where no page has a label of its own. `text` makes a string object. */
  toObject(text: (value: string) => string): string | undefined {
    if (!this.#given) return undefined
    const entries = this.#ranges.map(({ page, style, prefix, number }) => {
      const parts = [
        style === '' ? '' : `/S /${style}`,
        prefix === '' ? '' : `/P ${text(prefix)}`,
        style === '' || number === 1 ? '' : `/St ${number}`,
      ]
      return `${page} << ${parts.filter((part) => part !== '').join(' ')} >>`
    })
    return `<< /Nums [${entries.join('\n')}] >>`
  }

  /** Text that goes on with the range before: "v" after "iv" is a number, and after "u" it would be a letter. */
  #continued(label: string): LabelForm | undefined {
    if (!this.#last || this.#last.style === '') return undefined
    const next = { ...this.#last, number: this.#last.number + 1 }
    return formatLabel(next) === label ? next : undefined
  }
}

/** Splits a label into prefix and number; the parts put together again are the label, always. */
export function parseLabel(label: string): LabelForm {
  const decimal = /^(.*?)([1-9]\d{0,8})$/su.exec(label)
  if (decimal) return { style: 'D', prefix: decimal[1] ?? '', number: Number(decimal[2]) }
  for (const style of ['r', 'R'] as const) {
    const number = fromRoman(style === 'r' ? label.toUpperCase() : label)
    if (number > 0 && formatLabel({ style, prefix: '', number }) === label)
      return { style, prefix: '', number }
  }
  return { style: '', prefix: label, number: 1 }
}

function formatLabel(form: LabelForm): string {
  if (form.style === '') return form.prefix
  if (form.style === 'D') return form.prefix + String(form.number)
  const roman = toRoman(form.number)
  return form.prefix + (form.style === 'r' ? roman.toLowerCase() : roman)
}

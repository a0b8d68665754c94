/** Colours of a terminal, or none: `NO_COLOR`, a dumb terminal, a file. Text is measured before it is coloured. */
export interface Style {
  readonly good: (text: string) => string
  readonly bad: (text: string) => string
  readonly warn: (text: string) => string
  readonly quiet: (text: string) => string
  readonly strong: (text: string) => string
}

const same = (text: string): string => text

export const plainStyle: Style = { good: same, bad: same, warn: same, quiet: same, strong: same }

/** Select Graphic Rendition (ECMA-48, 8.3.117) with the sixteen colours that every theme sets. */
export const colourStyle: Style = {
  good: (text) => `\u001b[32m${text}\u001b[39m`,
  bad: (text) => `\u001b[31m${text}\u001b[39m`,
  warn: (text) => `\u001b[33m${text}\u001b[39m`,
  quiet: (text) => `\u001b[2m${text}\u001b[22m`,
  strong: (text) => `\u001b[1m${text}\u001b[22m`,
}

import { stripVTControlCharacters } from 'node:util'

const unprintable = /[\p{Cc}\p{Cs}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu

/**
 * A text from outside (an address, a file name, a message of a server) as one line that cannot steer a terminal: no
 * escape sequences, control characters, line breaks or changes of direction.
 */
export function printableText(text: string): string {
  return stripVTControlCharacters(text).replace(unprintable, ' ')
}

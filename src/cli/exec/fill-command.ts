/** What a command may say of an item, by name. Absent values are empty. */
export type CommandFacts = Readonly<Record<string, string | number | undefined>>

const placeholder = /\{([a-z]*)\}/g

/**
 * The words of a command with its placeholders filled: `{}` is the path, `{url}` and the like are facts by name. A value
 * stays within its word, whatever is in it: nothing is read by a shell. Other braces are left as they are.
 */
export function fillCommand(words: readonly string[], facts: CommandFacts): string[] {
  return words.map((word) =>
    word.replace(placeholder, (whole, name: string) => {
      const key = name === '' ? 'path' : name
      return Object.hasOwn(facts, key) ? text(facts[key]) : whole
    }),
  )
}

/** The same facts as environment variables: `TRAWL_PATH`, `TRAWL_HTTP_STATUS`. */
export function environmentOf(facts: CommandFacts): Record<string, string> {
  return Object.fromEntries(
    Object.entries(facts).map(([name, value]) => [`TRAWL_${name.toUpperCase()}`, text(value)]),
  )
}

/** No program can be given a NUL. */
function text(value: string | number | undefined): string {
  return String(value ?? '').replaceAll('\0', '')
}

/** One way to authenticate that a server offers. */
export interface Challenge {
  /** In lower case: `basic`, `digest`, `bearer`. */
  readonly scheme: string
  /** Names in lower case; values unquoted. */
  readonly parameters: Readonly<Record<string, string>>
}

const token = /^[!#$%&'*+\-.^_`|~\w]+/
const parameter = /^([!#$%&'*+\-.^_`|~\w]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([!#$%&'*+\-.^_`|~\w]+))/
const token68 = /^[A-Za-z0-9\-._~+/]+=*[ \t]*(?=,|$)/

/**
 * The challenges of WWW-Authenticate (RFC 9110, 11.6.1): several in one field, or in several. Stops at the first
 * thing that is no challenge.
 */
export function parseChallenges(values: readonly string[]): readonly Challenge[] {
  const challenges: { readonly scheme: string; readonly parameters: Record<string, string> }[] = []
  let rest = values.join(', ')
  const take = (match: RegExpExecArray): void => {
    rest = rest.slice(match[0].length)
  }
  for (;;) {
    rest = rest.replace(/^[\s,]+/, '')
    const named = parameter.exec(rest)
    const current = challenges.at(-1)
    if (named !== null && current !== undefined) {
      take(named)
      const name = (named[1] ?? '').toLowerCase()
      current.parameters[name] ??= named[2]?.replace(/\\(.)/g, '$1') ?? named[3] ?? ''
      continue
    }
    const scheme = token.exec(rest)
    if (scheme === null) return challenges
    take(scheme)
    challenges.push({ scheme: scheme[0].toLowerCase(), parameters: Object.create(null) })
    rest = rest.replace(/^[ \t]+/, '')
    const opaque = token68.exec(rest)
    // `Basic realm=x` is a parameter; `Negotiate YII=` is not. A scheme alone may be followed by another one.
    if (opaque !== null && parameter.exec(rest) === null && !/^[A-Za-z]+$/.test(opaque[0].trim()))
      take(opaque)
  }
}

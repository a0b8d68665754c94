/** One link of a Link header. */
export interface Link {
  /** The target as written, perhaps relative. */
  readonly target: string
  /** Relation types, in lower case. */
  readonly rels: readonly string[]
  /** Further parameters by name in lower case; the first wins. */
  readonly parameters: Readonly<Record<string, string>>
}

/** Link (RFC 8288, 3), read with the steps of its appendix B.2. Stops at the first thing that is no link. */
export function parseLink(text: string | undefined): readonly Link[] {
  const links: Link[] = []
  let rest = text ?? ''
  for (;;) {
    rest = rest.replace(/^[\s,]+/, '')
    const start = /^<([^>]*)>/.exec(rest)
    if (start === null) return links
    rest = rest.slice(start[0].length)
    const parameters: Record<string, string> = Object.create(null)
    for (;;) {
      const parameter = /^\s*;\s*(?:([^\s=;,]+)\s*(?:=\s*("(?:[^"\\]|\\.)*"?|[^;,]*))?)?/.exec(rest)
      if (parameter === null) break
      rest = rest.slice(parameter[0].length)
      const name = parameter[1]?.toLowerCase()
      if (name !== undefined && !(name in parameters)) parameters[name] = unquote(parameter[2] ?? '')
    }
    const { rel = '', ...others } = parameters
    const rels = rel
      .toLowerCase()
      .split(/\s+/)
      .filter((one) => one !== '')
    links.push({ target: (start[1] ?? '').trim(), rels, parameters: others })
  }
}

function unquote(value: string): string {
  const text = value.trim()
  if (!text.startsWith('"')) return text
  return text.slice(1, text.length > 1 && text.endsWith('"') ? -1 : undefined).replace(/\\(.)/g, '$1')
}

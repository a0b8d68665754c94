import { TrawlError } from '../core/index.ts'

/** One URL of a pattern, with the text that each group stands for in it, first group first. */
export interface PatternUrl {
  readonly url: string
  readonly values: readonly string[]
}

/** A URL with groups that stand for many, such as `page-[001-200].jpg`. */
export interface UrlPattern {
  /** How many URLs it stands for. */
  readonly count: number
  /** 0 means that the text is a plain URL. */
  readonly groupCount: number
  /** Fixed texts around the groups: one more than there are groups. */
  readonly literals: readonly string[]
  /** The URL at a position from 0; the last group varies fastest. */
  at(index: number): PatternUrl
  /** All of them in order, one at a time. */
  expand(): Generator<PatternUrl, void, undefined>
}

interface Group {
  readonly count: number
  at(index: number): string
}

const maxDigits = 15

/** Brackets with anything else in them are plain: `[]`, `[size]`, `[created-at]`, `[2020-01-02]`. */
const rangeShape = /^(?=.)(?:\d+|[a-z])?-(?:\d+|[a-z])?(?::.*)?$/i

/**
 * Parses curl's globbing: `[1-100]`, zero padding kept (`[001-100]`), steps (`[1-9:2]`), letters (`[a-z]`) and
 * alternatives (`{one,two}`); several groups multiply. A backslash makes the next bracket or brace plain, and so are
 * IPv6 addresses, brackets that hold no range, such as `?id[]=1` or `[name]`, and braces without a comma or
 * with quotes. Throws ERR_URL_INVALID with the column of what is wrong.
 */
export function parseUrlPattern(text: string): UrlPattern {
  const literals: string[] = []
  const groups: Group[] = []
  let literal = ''
  let at = 0
  while (at < text.length) {
    const char = text.charAt(at)
    if (char === '\\' && /[[\]{}\\,]/.test(text.charAt(at + 1))) {
      literal += text.charAt(at + 1)
      at += 2
      continue
    }
    const found = char === '[' ? readBracket(text, at) : char === '{' ? readBrace(text, at) : undefined
    if (found === undefined) literal += char
    else if (found.group === undefined) literal += text.slice(at, found.end)
    else {
      literals.push(literal)
      groups.push(found.group)
      literal = ''
    }
    at = found?.end ?? at + 1
  }
  literals.push(literal)
  return createPattern(text, literals, groups)
}

interface Found {
  /** Absent when the text up to `end` is plain. */
  readonly group: Group | undefined
  readonly end: number
}

function createPattern(text: string, literals: readonly string[], groups: readonly Group[]): UrlPattern {
  const count = groups.reduce((product, group) => product * group.count, 1)
  if (!Number.isSafeInteger(count)) throw fault(text, 0, 'it stands for too many URLs to count')
  const at = (index: number): PatternUrl => {
    const values: string[] = Array.from({ length: groups.length }, () => '')
    let rest = index
    for (let i = groups.length - 1; i >= 0; i--) {
      const group = groups[i]
      if (group === undefined) continue
      values[i] = group.at(rest % group.count)
      rest = Math.floor(rest / group.count)
    }
    return { url: literals.map((part, i) => part + (values[i] ?? '')).join(''), values }
  }
  return {
    count,
    groupCount: groups.length,
    literals,
    at,
    *expand() {
      for (let index = 0; index < count; index++) yield at(index)
    },
  }
}

function readBracket(text: string, start: number): Found {
  const close = text.indexOf(']', start)
  if (close === -1) throw fault(text, start, 'the "[" is not closed')
  const end = close + 1
  const inside = text.slice(start + 1, close)
  if (isAddress(text, start, inside) || !rangeShape.test(inside)) {
    return { group: undefined, end }
  }
  const [range = '', stepText, ...more] = inside.split(':')
  const step = stepText === undefined ? 1 : Number(stepText)
  const stepColumn = start + range.length + 2
  if (more.length > 0 || (stepText !== undefined && !/^\d{1,15}$/.test(stepText))) {
    throw fault(text, stepColumn, `":${inside.slice(range.length + 1)}" is not a step`)
  }
  if (step < 1) throw fault(text, stepColumn, 'the step must be 1 or more')
  const group = /^\d/.test(range) ? numbers(text, start, range, step) : letters(text, start, range, step)
  return { group, end }
}

/** True for the IPv6 address of a host, which also stands in brackets. */
function isAddress(text: string, start: number, inside: string): boolean {
  return (
    /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#]*@)?$/i.test(text.slice(0, start)) &&
    /^[0-9a-f:.]*:[0-9a-f:.]*(?:%.*)?$/i.test(inside)
  )
}

function numbers(text: string, start: number, range: string, step: number): Group {
  const match = /^(\d+)-(\d+)$/.exec(range)
  const [, first = '', last = ''] = match ?? []
  if (match === null) throw fault(text, start + 1, `"${range}" is not a range of numbers`)
  if (first.length > maxDigits || last.length > maxDigits) {
    throw fault(text, start + 1, `the numbers of "${range}" are too long`)
  }
  const from = Number(first)
  const to = Number(last)
  if (from > to) throw fault(text, start + 1, `the range "${range}" runs backwards`)
  const width = first.startsWith('0') ? first.length : 0
  return {
    count: Math.floor((to - from) / step) + 1,
    at: (index) => String(from + index * step).padStart(width, '0'),
  }
}

function letters(text: string, start: number, range: string, step: number): Group {
  if (!/^(?:[a-z]-[a-z]|[A-Z]-[A-Z])$/.test(range)) {
    throw fault(text, start + 1, `"${range}" is not a range of numbers or letters`)
  }
  const from = range.charCodeAt(0)
  const to = range.charCodeAt(2)
  if (from > to) throw fault(text, start + 1, `the range "${range}" runs backwards`)
  return {
    count: Math.floor((to - from) / step) + 1,
    at: (index) => String.fromCharCode(from + index * step),
  }
}

function readBrace(text: string, start: number): Found {
  const parts: string[] = ['']
  for (let at = start + 1; at < text.length; at++) {
    const char = text.charAt(at)
    // JSON in a query, as browsers leave it.
    if (char === '"') return { group: undefined, end: start + 1 }
    if (char === '{') throw fault(text, at, 'groups cannot be nested')
    if (char === '}') {
      if (parts.length === 1) return { group: undefined, end: at + 1 }
      return { group: { count: parts.length, at: (index) => parts[index] ?? '' }, end: at + 1 }
    }
    if (char === ',') parts.push('')
    else if (char === '\\' && /[[\]{}\\,]/.test(text.charAt(at + 1)))
      parts.push(`${parts.pop() ?? ''}${text.charAt(++at)}`)
    else parts.push(`${parts.pop() ?? ''}${char}`)
  }
  throw fault(text, start, 'the "{" is not closed')
}

function fault(text: string, index: number, message: string): TrawlError {
  return new TrawlError('ERR_URL_INVALID', `Column ${index + 1} of the pattern ${text}: ${message}`, {
    context: { url: text, column: index + 1 },
    hint: 'Write a bracket or brace that is meant literally as %5B, %5D, %7B, %7D or with a backslash before it.',
  })
}

import { TrawlError } from '../../core/index.ts'

/** Name and password for a host. */
export interface Credentials {
  readonly username: string
  readonly password: string
}

/** The machines of a netrc file. */
export interface Netrc {
  /** Credentials for a host name, else those of `default`; with `login`, only of that user. */
  find(host: string, login?: string): Credentials | undefined
}

interface Entry {
  readonly host: string | undefined
  login: string
  password: string
}

interface Token {
  readonly text: string
  readonly line: number
}

/**
 * Reads `~/.netrc`, given as text: `machine`, `default`, `login`, `password`, `account` and `macdef`, values in
 * double quotes with `\"`, `\\`, `\n`, `\r`, `\t` as curl reads them, `#` comments. The first fitting entry wins.
 *
 * @throws TrawlError ERR_CONFIG_UNREADABLE, with file and line
 */
export function parseNetrc(text: string, file = 'netrc'): Netrc {
  const entries = readEntries(tokens(text), file)
  return {
    find(host, login) {
      const fits = (entry: Entry): boolean => login === undefined || entry.login === login
      const found =
        entries.find((entry) => entry.host === host.toLowerCase() && fits(entry)) ??
        entries.find((entry) => entry.host === undefined && fits(entry))
      return found === undefined ? undefined : { username: found.login, password: found.password }
    },
  }
}

function readEntries(all: readonly Token[], file: string): readonly Entry[] {
  const entries: Entry[] = []
  const queue = [...all]
  const value = (after: Token): string => {
    const token = queue.shift()
    if (token === undefined) throw unreadable(file, after.line, `nothing after ${after.text}`)
    return token.text
  }
  for (let token = queue.shift(); token !== undefined; token = queue.shift()) {
    const entry = entries.at(-1)
    if (token.text === 'machine') entries.push({ host: value(token).toLowerCase(), login: '', password: '' })
    else if (token.text === 'default') entries.push({ host: undefined, login: '', password: '' })
    else if (entry === undefined) throw unreadable(file, token.line, `${token.text} before any machine`)
    else if (token.text === 'login' || token.text === 'user') entry.login = value(token)
    else if (token.text === 'password' || token.text === 'passwd') entry.password = value(token)
    else if (token.text === 'account') value(token)
    else throw unreadable(file, token.line, `unknown word ${token.text}`)
  }
  return entries
}

/** Words with their lines; comments and macros (up to an empty line) are left out. */
function tokens(text: string): readonly Token[] {
  const found: Token[] = []
  let inMacro = false
  text.split(/\r?\n/).forEach((content, i) => {
    if (inMacro) {
      inMacro = content.trim() !== ''
      return
    }
    for (const match of content.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)) {
      const quoted = match[1]
      const plain = match[2] ?? ''
      const previous = found.at(-1)?.text
      // A password may begin with the sign of a comment.
      if (
        quoted === undefined &&
        plain.startsWith('#') &&
        !/^(?:password|passwd|login)$/.test(previous ?? '')
      )
        return
      if (plain === 'macdef') {
        inMacro = true
        return
      }
      found.push({ text: quoted === undefined ? plain : unescape(quoted), line: i + 1 })
    }
  })
  return found
}

function unescape(text: string): string {
  const letters: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }
  return text.replace(/\\(.)/g, (_all, letter: string) => letters[letter] ?? letter)
}

function unreadable(file: string, line: number, why: string): TrawlError {
  return new TrawlError('ERR_CONFIG_UNREADABLE', `${file}:${line}: ${why}`, { context: { file, line } })
}

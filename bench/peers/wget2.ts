import type { Contender, UrlList } from '../contender.ts'
import { findProgram, versionOf } from '../program.ts'

/** wget2 over a list with so many threads. Undefined where it is not installed. */
export function wget2List(list: UrlList, threads: number): Contender | undefined {
  return wget2(`wget2 ${threads} threads`, [`--max-threads=${threads}`, '-i', list.path])
}

/** wget2 with one file. Undefined where it is not installed. */
export function wget2File(url: string): Contender | undefined {
  return wget2('wget2', [url])
}

function wget2(name: string, args: readonly string[]): Contender | undefined {
  const program = findProgram('wget2')
  if (program === undefined) return undefined
  const quiet = ['--no-config', '--quiet', '--no-robots', '--no-hsts', '--no-netrc', '--progress=none']
  return {
    name,
    version: versionOf(program),
    command: (folder) => ({ program, args: [...quiet, '-P', folder, ...args] }),
  }
}

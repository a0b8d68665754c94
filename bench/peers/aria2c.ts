import type { Contender, UrlList } from '../contender.ts'
import { findProgram, versionOf } from '../program.ts'

/** aria2c over a list, so many files at once, one connection each. Undefined where it is not installed. */
export function aria2cList(list: UrlList, parallel: number): Contender | undefined {
  return aria2c(`aria2c -j${parallel}`, [`-j${parallel}`, '-x1', '-s1', '-i', list.path])
}

/** aria2c with one file in so many connections; 16 is the most it allows. Undefined where it is not installed. */
export function aria2cFile(url: string, connections: number): Contender | undefined {
  return aria2c(`aria2c -x${connections}`, [
    `--max-connection-per-server=${connections}`,
    `--split=${connections}`,
    '--min-split-size=1M',
    url,
  ])
}

function aria2c(name: string, args: readonly string[]): Contender | undefined {
  const program = findProgram('aria2c')
  if (program === undefined) return undefined
  // Neither allocation nor talk: both cost aria2c time that says nothing about downloading.
  const quiet = ['--no-conf', '--file-allocation=none', '--quiet=true', '--download-result=hide']
  return {
    name,
    version: versionOf(program),
    command: (folder) => ({ program, args: [...quiet, '-d', folder, ...args] }),
  }
}

import type { Contender, UrlList } from '../contender.ts'
import { findProgram, versionOf } from '../program.ts'

/** curl over a list, so many at once; 50 is its default. Undefined where it is not installed. */
export function curlList(list: UrlList, parallel: number): Contender | undefined {
  return curl(`curl -Z ${parallel}`, (folder) => [
    '--parallel',
    '--parallel-max',
    String(parallel),
    '--output-dir',
    folder,
    '--config',
    list.curlPath,
  ])
}

/** curl with one file. Undefined where it is not installed. */
export function curlFile(url: string): Contender | undefined {
  return curl('curl', (folder) => ['--output-dir', folder, '-O', url])
}

function curl(name: string, args: (folder: string) => readonly string[]): Contender | undefined {
  const program = findProgram('curl')
  if (program === undefined) return undefined
  return {
    name,
    version: versionOf(program),
    command: (folder) => ({ program, args: ['--disable', '--fail', '--no-progress-meter', ...args(folder)] }),
  }
}

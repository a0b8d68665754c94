import type { Contender, UrlList } from '../contender.ts'

/** A built trawl and what a user would add to its command line. */
export interface TrawlPeer {
  /** Name in the table: `trawl`, or `before` for an older build beside it. */
  readonly name: string
  /** Path of bin/trawl.mjs. */
  readonly entry: string
  readonly args: readonly string[]
}

/** `trawl get` over a list: journal, temporary names and progress are on, as they are without flags. */
export function trawlList(trawl: TrawlPeer, list: UrlList): Contender {
  return trawlGet(trawl, ['-i', list.path])
}

/** `trawl get` with one URL. */
export function trawlFile(trawl: TrawlPeer, url: string): Contender {
  return trawlGet(trawl, [url])
}

/** `trawl get` with a list on standard input, through a pipe. */
export function trawlStdin(trawl: TrawlPeer, list: UrlList): Contender {
  const contender = trawlGet(trawl, ['-i', '-'])
  return { ...contender, command: (folder) => ({ ...contender.command(folder), stdinPath: list.path }) }
}

function trawlGet(trawl: TrawlPeer, args: readonly string[]): Contender {
  const name = [trawl.name, ...trawl.args].join(' ')
  return {
    name,
    version: `trawl on node ${process.version}`,
    command: (folder) => ({
      program: 'node',
      args: [trawl.entry, 'get', '--no-config', '-d', folder, ...args, ...trawl.args],
    }),
  }
}

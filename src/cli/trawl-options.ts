import { isAbsolute, join } from 'node:path'
import type { TrawlOptions } from '../session/index.ts'
import type { CliContext } from './cli-context.ts'
import type { ConfigSurroundings } from './config-files.ts'
import { printableText } from './render/index.ts'

/**
 * Folder of the user's state: `$XDG_STATE_HOME/trawl` (XDG Base Directory Specification 0.8; a relative value does not
 * count), on Windows below `%LOCALAPPDATA%`, on macOS in `~/Library/Application Support`.
 */
function stateFolder({ env, platform, home }: ConfigSurroundings): string {
  if (platform === 'win32') {
    const local = env['LOCALAPPDATA']
    return join(local ? local : join(home, 'AppData', 'Local'), 'trawl', 'state')
  }
  if (platform === 'darwin') return join(home, 'Library', 'Application Support', 'trawl')
  const xdg = env['XDG_STATE_HOME']
  return join(xdg !== undefined && isAbsolute(xdg) ? xdg : join(home, '.local', 'state'), 'trawl')
}

/** What the library is told of the process that the command runs in. */
export function trawlOptions(
  context: CliContext,
  { state, stateDir }: { readonly state: boolean; readonly stateDir?: string | undefined },
): TrawlOptions {
  return {
    surroundings: {
      proxies: context.proxies,
      clock: context.clock,
      onNotice: (message) => void context.stderr.write(`${printableText(message)}\n`),
    },
    ...(state ? { stateDir: stateDir ?? stateFolder(context.surroundings) } : {}),
  }
}

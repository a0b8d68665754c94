import type { Clock } from '../core/index.ts'
import type { ProxySettings } from '../http/index.ts'
import type { ConfigSurroundings } from './config-files.ts'
import type { Output, Terminal } from './render/index.ts'

/** Everything that commands take from the process they run in. */
export interface CliContext {
  readonly surroundings: ConfigSurroundings
  readonly proxies: ProxySettings
  readonly stdin: AsyncIterable<Uint8Array>
  readonly stdout: Output
  readonly stderr: Terminal & { readonly isTerminal: boolean }
  readonly writeStdout: (chunk: Uint8Array) => void | Promise<void>
  readonly clock: Clock
  /** Calls `listen` on Ctrl-C and SIGTERM; the returned function ends that. */
  readonly onInterrupt: (listen: () => void) => () => void
  /** Sets the exit code; the process ends by itself when all is closed. */
  readonly exit: (code: number) => void
}

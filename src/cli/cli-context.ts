import type { Clock } from '../core/index.ts'
import type { ProxySettings } from '../http/index.ts'
import type { ConfigSurroundings } from './config-files.ts'
import type { Output, Terminal } from './render/index.ts'

/** Another process of this program. */
export interface ChildProgram {
  /** Settles when it has ended; null when a signal ended it. */
  readonly exitCode: Promise<number | null>
  /** Asks it to end what it does, as Ctrl-C would. */
  interrupt(): void
}

/** How a program of the user ended. */
export interface ProgramEnd {
  readonly code: number | null
  readonly signal?: string
  /** It could not be started. */
  readonly error?: string
}

/** Runs a program of the user, without a shell; what it says goes to standard error. Never rejects. */
export type RunProgram = (
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
) => Promise<ProgramEnd>

/** Everything that commands take from the process they run in. */
export interface CliContext {
  readonly surroundings: ConfigSurroundings
  readonly proxies: ProxySettings
  readonly stdin: AsyncIterable<Uint8Array>
  /** Nothing more is wanted of it: a writer that goes on must not keep the process alive. */
  readonly closeStdin: () => void
  readonly stdout: Output
  readonly stderr: Terminal & { readonly isTerminal: boolean }
  readonly writeStdout: (chunk: Uint8Array) => void | Promise<void>
  readonly clock: Clock
  /** Calls `listen` on Ctrl-C and SIGTERM; the returned function ends that. */
  readonly onInterrupt: (listen: () => void) => () => void
  /** Starts this program once more; what it says goes to standard error. Absent where that cannot be done. */
  readonly startSelf?: (args: readonly string[]) => ChildProgram
  /** Runs programs of the user. Absent where that cannot be done. */
  readonly runProgram?: RunProgram
  /** Sets the exit code; the process ends by itself when all is closed. */
  readonly exit: (code: number) => void
}

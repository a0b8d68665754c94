import { tmpdir } from 'node:os'
import { main } from '../../src/cli/main.ts'
import type { CliContext } from '../../src/cli/cli-context.ts'
import { systemClock, type Clock } from '../../src/core/index.ts'

/** How a command in this process ended. */
export interface MainEnd {
  readonly code: number
  readonly stdout: Buffer
  readonly stderr: string
}

/**
 * Runs `trawl ARGS` in this process, which takes milliseconds where `runCli` takes a second: for everything but
 * signals, streams that break, and the death of the process. Environment and home are empty.
 */
export async function runMain(
  args: readonly string[],
  options: {
    readonly stdin?: string
    readonly clock?: Clock
    readonly env?: Readonly<Record<string, string>>
  } = {},
): Promise<MainEnd> {
  const stdout: Buffer[] = []
  let stderr = ''
  let code = 0
  async function* stdin(): AsyncGenerator<Uint8Array, void, undefined> {
    if (options.stdin !== undefined) yield Buffer.from(options.stdin)
  }
  const context: CliContext = {
    surroundings: {
      cwd: tmpdir(),
      env: { TRAWL_STATE: 'false', ...options.env },
      platform: 'linux',
      home: '/nonexistent',
    },
    proxies: {},
    stdin: stdin(),
    closeStdin: () => {},
    stdout: { write: (text) => stdout.push(Buffer.from(text)) > 0 },
    stderr: {
      isTerminal: false,
      write: (text) => {
        stderr += text
        return true
      },
      size: () => ({ columns: 80, rows: 24 }),
    },
    writeStdout: (chunk) => void stdout.push(Buffer.from(chunk)),
    clock: options.clock ?? systemClock,
    onInterrupt: () => () => {},
    exit: (given) => void (code = given),
  }
  await main(args, context)
  return { code, stdout: Buffer.concat(stdout), stderr }
}

import { spawn, type ChildProcess } from 'node:child_process'
import { tmpdir } from 'node:os'

const entry = new URL('../../src/cli/main.ts', import.meta.url).href
const script = `const { main } = await import(${JSON.stringify(entry)}); await main(process.argv.slice(1))`

export interface CliOptions {
  /** Text for standard input, which is closed after it; null keeps it open with nothing in it. Default: nothing. */
  readonly stdin?: string | null
  /** Beside PATH. */
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Of a group of its own, as a terminal makes it: a signal for `-pid` reaches its children too. */
  readonly detached?: boolean
  /** Default 25 s; then the process is killed and the test sees a signal. */
  readonly timeoutMs?: number
}

/** How a command ended. */
export interface CliEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: Buffer
  readonly stderr: string
}

export interface RunningCli {
  readonly child: ChildProcess
  readonly end: Promise<CliEnd>
  /** What it said on standard error so far. */
  readonly stderr: () => string
}

/**
 * Starts `trawl ARGS` from the sources in a process of its own, with an empty environment and home, so that nothing of
 * this machine is seen. The process never outlives its time: SIGKILL, since the first SIGTERM is a wish to drain.
 */
export function startCli(args: readonly string[], options: CliOptions = {}): RunningCli {
  const home = options.cwd ?? tmpdir()
  const child = spawn('node', ['--input-type=module', '-e', script, '--', ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    cwd: home,
    env: { PATH: process.env['PATH'], HOME: home, TRAWL_STATE: 'false', ...options.env },
    detached: options.detached ?? false,
    timeout: options.timeoutMs ?? 25_000,
    killSignal: 'SIGKILL',
  })
  const stdout: Buffer[] = []
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => void stdout.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => void (stderr += chunk.toString()))
  // It may end before it has read everything.
  child.stdin.on('error', () => {})
  if (options.stdin !== null) child.stdin.end(options.stdin ?? '')
  const end = new Promise<CliEnd>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal, stdout: Buffer.concat(stdout), stderr }))
  })
  return { child, end, stderr: () => stderr }
}

export function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliEnd> {
  return startCli(args, options).end
}

import { spawn } from 'node:child_process'
import { homedir } from 'node:os'
import { systemClock } from '../core/index.ts'
import { proxySettings } from '../http/index.ts'
import type { ChildProgram, CliContext, ProgramEnd } from './cli-context.ts'

/** The context of the process that runs: its streams, environment and signals. The only place that looks at them. */
export function processContext(): CliContext {
  const { stdout, stderr } = process
  const onDrain = (stream: NodeJS.WriteStream) => (listen: () => void) => {
    stream.on('drain', listen)
    return () => void stream.off('drain', listen)
  }
  // A reader that went away (`| head`) ends the output, not the download.
  for (const stream of [stdout, stderr]) stream.on('error', () => {})
  let readsStdin = false
  async function* readStdin(): AsyncGenerator<Uint8Array, void, undefined> {
    // Opened only when it is wanted: not every command reads it.
    readsStdin = true
    for await (const chunk of process.stdin) yield chunk as Uint8Array
  }
  return {
    surroundings: { cwd: process.cwd(), env: process.env, platform: process.platform, home: homedir() },
    proxies: proxySettings(process.env),
    stdin: readStdin(),
    closeStdin: () => void (readsStdin && process.stdin.destroy()),
    stdout: { write: (text) => stdout.write(text), onDrain: onDrain(stdout) },
    stderr: {
      isTerminal: stderr.isTTY,
      write: (text) => stderr.write(text),
      onDrain: onDrain(stderr),
      // A terminal that nobody told its size, as in some containers, says 0.
      size: () => ({ columns: stderr.columns || 80, rows: stderr.rows || 24 }),
      onResize(listen) {
        stderr.on('resize', listen)
        return () => void stderr.off('resize', listen)
      },
    },
    writeStdout: writeAll(stdout),
    clock: systemClock,
    onInterrupt(listen) {
      process.on('SIGINT', listen).on('SIGTERM', listen).on('disconnect', listen)
      // The one that started this process is gone, however it died; waiting for that keeps nothing alive.
      process.channel?.unref()
      return () => void process.off('SIGINT', listen).off('SIGTERM', listen).off('disconnect', listen)
    },
    ...(process.argv[1] === undefined ? {} : { startSelf: starterOf(process.argv[1]) }),
    runProgram,
    exit(code) {
      process.exitCode = code
      // A list on standard input that was not read to its end would keep the process waiting for it.
      process.stdin.destroy()
    },
  }
}

function writeAll(stream: NodeJS.WriteStream): (chunk: Uint8Array) => Promise<void> {
  return (chunk) =>
    new Promise((resolve, reject) => stream.write(chunk, (error) => (error ? reject(error) : resolve())))
}

function starterOf(entry: string): (args: readonly string[]) => ChildProgram {
  return (args) => {
    // The channel says nothing; its end tells the child that this process is gone, also after kill -9.
    const child = spawn('node', [entry, ...args], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    child.channel?.unref()
    const stop = (): void => void child.kill('SIGTERM')
    process.once('exit', stop)
    const exitCode = new Promise<number | null>((resolve) => {
      child.once('error', () => resolve(null)).once('exit', (code) => resolve(code))
    }).finally(() => process.off('exit', stop))
    return { exitCode, interrupt: stop }
  }
}

function runProgram(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<ProgramEnd> {
  return new Promise((resolve) => {
    // Standard output may carry events or the file itself; only standard error is for people.
    const child = spawn(program, args, {
      stdio: ['ignore', process.stderr, process.stderr],
      env: { ...process.env, ...env },
      shell: false,
    })
    child.once('error', (error) => resolve({ code: null, error: `cannot be run (${error.message})` }))
    child.once('exit', (code, signal) => resolve({ code, ...(signal === null ? {} : { signal }) }))
  })
}

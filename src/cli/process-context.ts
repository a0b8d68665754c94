import { homedir } from 'node:os'
import { systemClock } from '../core/index.ts'
import { proxySettings } from '../http/index.ts'
import type { CliContext } from './cli-context.ts'

/** The context of the process that runs: its streams, environment and signals. The only place that looks at them. */
export function processContext(): CliContext {
  const { stdout, stderr } = process
  const onDrain = (stream: NodeJS.WriteStream) => (listen: () => void) => {
    stream.on('drain', listen)
    return () => void stream.off('drain', listen)
  }
  // A reader that went away (`| head`) ends the output, not the download.
  for (const stream of [stdout, stderr]) stream.on('error', () => {})
  return {
    surroundings: { cwd: process.cwd(), env: process.env, platform: process.platform, home: homedir() },
    proxies: proxySettings(process.env),
    stdin: process.stdin,
    stdout: { write: (text) => stdout.write(text), onDrain: onDrain(stdout) },
    stderr: {
      isTerminal: stderr.isTTY,
      write: (text) => stderr.write(text),
      onDrain: onDrain(stderr),
      size: () => ({ columns: stderr.columns ?? 80, rows: stderr.rows ?? 24 }),
      onResize(listen) {
        stderr.on('resize', listen)
        return () => void stderr.off('resize', listen)
      },
    },
    writeStdout: writeAll(stdout),
    clock: systemClock,
    onInterrupt(listen) {
      process.on('SIGINT', listen).on('SIGTERM', listen)
      return () => void process.off('SIGINT', listen).off('SIGTERM', listen)
    },
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

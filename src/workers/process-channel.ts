import { fork, type ChildProcess } from 'node:child_process'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { closingMessage } from './closing-message.ts'
import { LastWords } from './last-words.ts'
import type { WorkerChannel, WorkerChannelOptions } from './worker-channel.ts'

/** A worker that is a process of its own, with the serialisation of `structuredClone` over its channel. */
export function startProcess(options: WorkerChannelOptions): WorkerChannel {
  const child = fork(fileURLToPath(options.entry), [], {
    execPath: nodeProgram(),
    execArgv: flagsForChildren(process.execArgv),
    serialization: 'advanced',
    // Out of the group that the terminal sends Ctrl-C to; on Windows it would open a window.
    detached: process.platform !== 'win32',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  const words = new LastWords()
  if (child.stderr) words.listen(child.stderr)
  let closing = false
  const ended = new Promise<void>((resolve) => {
    let over = false
    const end = (reason: string): void => {
      if (over) return
      over = true
      process.off('exit', kill)
      options.onExit({ expected: closing, reason })
      resolve()
    }
    child.once('error', (error) => {
      // Where it was never started there is no exit.
      if (child.pid === undefined) end(error.message)
    })
    // After the last message and the last words, unlike `exit`.
    child.once('close', (code, signal) =>
      end(signal === null ? words.or(`exit code ${code}`) : `signal ${signal}`),
    )
  })
  const kill = (): void => void child.kill('SIGKILL')
  process.once('exit', kill)
  child.on('message', options.onMessage)
  return {
    pid: child.pid,
    post: (message) => send(child, message),
    async close(graceMs) {
      closing = true
      send(child, closingMessage)
      const timer = setTimeout(kill, graceMs)
      await ended
      clearTimeout(timer)
    },
    kill,
  }
}

function send(child: ChildProcess, message: unknown): void {
  // A broken channel is told by the end of the process.
  if (child.connected) child.send(message as object, () => {})
}

/**
 * The program to start: the Node that runs this, so that versions agree; where this is another program (Electron, a
 * single executable, another runtime), the `node` of the PATH.
 */
function nodeProgram(): string {
  return /^node(?:js)?(?:\.exe)?$/i.test(basename(process.execPath)) ? process.execPath : 'node'
}

const forThisProcessOnly =
  /^--(?:inspect|input-type|test|watch|cpu-prof|heap-prof|experimental-test|import-map)/
const withValue = new Set(['-e', '--eval', '-p', '--print', '-pe'])

/** Flags of this process that mean the same to a child that runs a module: no debugger, no script, no tests. */
export function flagsForChildren(flags: readonly string[]): string[] {
  const kept: string[] = []
  for (let at = 0; at < flags.length; at++) {
    const flag = flags[at] ?? ''
    if (withValue.has(flag)) at++
    else if (!forThisProcessOnly.test(flag)) kept.push(flag)
  }
  return kept
}

import { spawn } from 'node:child_process'
import { closeSync, createReadStream, openSync, readFileSync } from 'node:fs'
import { pipeline, type Writable } from 'node:stream'

/** A program to run and measure. */
export interface Command {
  readonly program: string
  readonly args: readonly string[]
  /** File that is fed to standard input through a pipe; without it the input is empty. */
  readonly stdinPath?: string
}

/** What one run of a program took. */
export interface Measurement {
  readonly wallMs: number
  /** User and system time of the program and of the children it waited for; the kernel counts in steps of 10 ms. */
  readonly userMs: number
  readonly systemMs: number
  readonly cpuMs: number
  /** Highest resident memory of the program with its children, sampled. */
  readonly peakRssBytes: number
  /** Resident memory over the run: at most `rssSampleLimit` values at even distances. */
  readonly rssBytes: readonly number[]
  /** Null when it was killed by a signal. */
  readonly exitCode: number | null
  /** End of what it wrote on standard error. */
  readonly stderr: string
}

/** Surroundings of a measured run. */
export interface MeasureOptions {
  readonly env: Readonly<Record<string, string>>
  /** File for standard error; overwritten. */
  readonly stderrPath: string
  /** The program is killed after this long. */
  readonly timeoutMs: number
  readonly sampleMs?: number
  /** Called at every sample with the time since the start. */
  readonly onSample?: (elapsedMs: number) => void
}

/** The kernel's unit of processor time in /proc, the same on every Linux that Node runs on. */
const tickMs = 10
const stderrTailChars = 2000
const rssSampleLimit = 40

/**
 * Runs a program and measures it. Nothing else may be started by this process meanwhile: processor time is what the
 * kernel added to this process's ended children (proc_pid_stat(5), fields 16 and 17). Needs Linux.
 */
export async function measureCommand(command: Command, options: MeasureOptions): Promise<Measurement> {
  const before = endedChildren()
  const errors = openSync(options.stderrPath, 'w')
  const rss: number[] = []
  let peakRssBytes = 0
  const startedAt = performance.now()
  const child = spawn(command.program, command.args, {
    stdio: [command.stdinPath === undefined ? 'ignore' : 'pipe', 'ignore', errors],
    env: options.env,
  })
  const stop = (): void => void child.kill('SIGKILL')
  process.once('exit', stop)
  if (command.stdinPath !== undefined && child.stdin !== null) feed(command.stdinPath, child.stdin)
  const sample = (): void => {
    const now = memoryOf(child.pid ?? 0)
    if (now.rssBytes > 0) rss.push(now.rssBytes)
    peakRssBytes = Math.max(peakRssBytes, now.rssBytes, now.peakBytes)
    options.onSample?.(performance.now() - startedAt)
  }
  const timer = setInterval(sample, options.sampleMs ?? 20)
  const deadline = setTimeout(stop, options.timeoutMs)
  try {
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject).once('exit', (code) => resolve(code))
    })
    const wallMs = performance.now() - startedAt
    const after = endedChildren()
    const userMs = (after.user - before.user) * tickMs
    const systemMs = (after.system - before.system) * tickMs
    const stderr = readFileSync(options.stderrPath, 'utf8').slice(-stderrTailChars)
    const rssBytes = thinned(rss)
    return { wallMs, userMs, systemMs, cpuMs: userMs + systemMs, peakRssBytes, rssBytes, exitCode, stderr }
  } finally {
    clearInterval(timer)
    clearTimeout(deadline)
    process.removeListener('exit', stop)
    closeSync(errors)
  }
}

function feed(path: string, input: Writable): void {
  // A program that ends before it has read everything shows in its exit code.
  pipeline(createReadStream(path), input, () => {})
}

function endedChildren(): { readonly user: number; readonly system: number } {
  const text = readProc('/proc/self/stat')
  // Fields from the third on: the second one, the name, may contain anything.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return { user: Number(fields[13] ?? 0), system: Number(fields[14] ?? 0) }
}

function memoryOf(pid: number): { readonly rssBytes: number; readonly peakBytes: number } {
  const status = readProc(`/proc/${pid}/status`)
  let rssBytes = kilobytes(status, 'VmRSS:')
  let peakBytes = kilobytes(status, 'VmHWM:')
  for (const child of readProc(`/proc/${pid}/task/${pid}/children`).split(' ')) {
    if (child.trim() === '') continue
    const below = memoryOf(Number(child))
    rssBytes += below.rssBytes
    peakBytes = Math.max(peakBytes, below.peakBytes)
  }
  return { rssBytes, peakBytes }
}

function kilobytes(status: string, name: string): number {
  const at = status.indexOf(name)
  return at === -1 ? 0 : Number.parseInt(status.slice(at + name.length), 10) * 1024
}

function readProc(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // The process ended between two looks.
    return ''
  }
}

function thinned(values: readonly number[]): readonly number[] {
  if (values.length <= rssSampleLimit) return values
  const step = (values.length - 1) / (rssSampleLimit - 1)
  return Array.from({ length: rssSampleLimit }, (_, index) => values[Math.round(index * step)] ?? 0)
}

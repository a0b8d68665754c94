import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'

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
  const input = command.stdinPath === undefined ? undefined : openSync(command.stdinPath, 'r')
  const errors = openSync(options.stderrPath, 'w')
  const rss: number[] = []
  let peakRssBytes = 0
  const startedAt = performance.now()
  // A pipe as a shell makes it, so that the program sees no file behind its standard input.
  const child =
    input === undefined
      ? spawn(command.program, command.args, { stdio: ['ignore', 'ignore', errors], env: options.env })
      : spawn('/bin/sh', ['-c', 'cat | exec "$0" "$@"', command.program, ...command.args], {
          stdio: [input, 'ignore', errors],
          env: options.env,
        })
  const sample = (): void => {
    const now = memoryOf(child.pid ?? 0)
    if (now.rssBytes > 0) rss.push(now.rssBytes)
    peakRssBytes = Math.max(peakRssBytes, now.rssBytes, now.peakBytes)
    options.onSample?.(performance.now() - startedAt)
  }
  const timer = setInterval(sample, options.sampleMs ?? 20)
  const deadline = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs)
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
    closeSync(errors)
    if (input !== undefined) closeSync(input)
  }
}

/** Processor time of another process and its threads so far, in milliseconds; 0 when it is gone. */
export function processCpuMs(pid: number): number {
  const fields = statFields(String(pid))
  return fields === undefined ? 0 : (Number(fields[11]) + Number(fields[12])) * tickMs
}

function endedChildren(): { readonly user: number; readonly system: number } {
  const fields = statFields('self') ?? []
  return { user: Number(fields[13] ?? 0), system: Number(fields[14] ?? 0) }
}

/** Fields of /proc/PID/stat from the third on: the second one, the name, may contain anything. */
function statFields(pid: string): readonly string[] | undefined {
  const text = readProc(`/proc/${pid}/stat`)
  return text === '' ? undefined : text.slice(text.lastIndexOf(')') + 2).split(' ')
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

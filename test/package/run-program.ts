import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** The root of the project, with a slash at its end. */
export const projectRoot = fileURLToPath(new URL('../..', import.meta.url))

/** How a program ended, and what it wrote. */
export interface Ended {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program in the root of the project to its end. */
export function runProgram(command: string, args: readonly string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: projectRoot, stdio: ['ignore', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    child.on('error', reject)
    child.on('close', (status) => resolve({ status, stdout, stderr }))
  })
}

/** Runs Node, the one that the tests run on. */
export function runNode(...args: readonly string[]): Promise<Ended> {
  return runProgram('node', args)
}

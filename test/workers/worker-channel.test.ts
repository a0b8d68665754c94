import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { flagsForChildren } from '../../src/workers/process-channel.ts'
import { describeWorkerChannelContract } from '../contract/worker-channel.ts'

describeWorkerChannelContract('threads')
describeWorkerChannelContract('processes')

describe('a worker process', () => {
  const isAlive = (pid: number): boolean => {
    try {
      process.kill(pid, 0)
      return true
    } catch {
      return false
    }
  }

  test.each(['SIGKILL', 'SIGTERM'] as const)('ends when its starter dies by %s', async (signal) => {
    const child = spawn('node', [fileURLToPath(new URL('./starter.ts', import.meta.url))], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const pid = await new Promise<number>((resolve) => {
      child.stdout.once('data', (text: Buffer) => resolve(Number(text.toString())))
    })
    expect(isAlive(pid)).toBe(true)
    child.kill(signal)
    for (let tries = 0; tries < 1000 && isAlive(pid); tries++) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    expect(isAlive(pid)).toBe(false)
  })

  test('gets the flags that mean the same to it', () => {
    expect(
      flagsForChildren([
        '--input-type=module',
        '-e',
        'code()',
        '--inspect=0',
        '--max-old-space-size=100',
        '--eval',
        'x',
        '--use-system-ca',
      ]),
    ).toEqual(['--max-old-space-size=100', '--use-system-ca'])
  })
})

import { describe, expect, it } from 'vitest'
import { createPlainRenderer, plainStyle } from '../../../src/cli/render/index.ts'
import { failure, FakeClock, FakeJob, FakeOutput, progressOf, statsOf } from './fake-job.ts'

const mebibyte = 1024 ** 2

describe('createPlainRenderer', () => {
  it('writes a line every few seconds, failures at once, and a summary', () => {
    const output = new FakeOutput()
    const clock = new FakeClock()
    const job = new FakeJob()
    const renderer = createPlainRenderer({ output, clock, style: plainStyle, verbose: false })
    job.counters = progressOf({
      planned: 10,
      plannedIsFinal: false,
      speedBps: mebibyte,
      elapsedMs: 5000,
      active: 2,
    })
    renderer.start(job)
    clock.advance(4999)
    expect(output.lines).toEqual([])
    clock.advance(1)
    job.fail(4, 'https://example.org/4.bin: the server answered 404')
    job.counters = progressOf({
      planned: 10,
      ok: 5,
      failed: 1,
      skipped: 2,
      doneBytes: mebibyte,
      knownBytes: 2 * mebibyte,
      etaMs: 1500,
      elapsedMs: 10_000,
      hosts: [{ host: 'a.example', active: 0, limit: 1, pausedMs: 500 }],
    })
    job.emit({ type: 'job.phase', phase: 'packing' })
    clock.advance(5000)
    renderer.stop(statsOf({ planned: 10, ok: 7, skipped: 2, failed: 1, failures: { ERR_NO_SPACE: 1 } }))
    expect(output.lines).toEqual([
      '[5.0s] 0/10+, 0 B, 1.00 MiB/s, 2 active',
      'failed: https://example.org/4.bin: the server answered 404 (try another address)',
      '[10s] packing, 8/10, 1.00 MiB/2.00 MiB, 0 B/s, ETA 2s, 0 active, 2 skipped, 1 failed, a.example waits 1s',
      '1 x ERR_NO_SPACE: The disk or quota is full.',
      '7 ok, 2 skipped, 1 failed of 10 in 0ms',
      '0 B in files, 0 B fetched, mean 0 B/s',
    ])
    clock.advance(60_000)
    expect(output.lines).toHaveLength(6)
    expect([job.listeners.size, clock.pending]).toEqual([0, 0])
  })

  it('tells only failures where that is wanted', () => {
    const output = new FakeOutput()
    const clock = new FakeClock()
    const job = new FakeJob()
    const renderer = createPlainRenderer({
      output,
      clock,
      style: plainStyle,
      verbose: true,
      tells: 'failures',
    })
    renderer.start(job)
    job.emit({ type: 'job.notice', message: 'hello' })
    job.emit({ type: 'host.resumed', host: 'a.example' })
    job.fail(0)
    clock.advance(60_000)
    renderer.stop(statsOf({ planned: 40, ok: 28, failed: 12, failures: { ERR_IO: 12 } }), {
      reportPath: 'r.jsonl',
      failures: [failure(1, 'late')],
    })
    expect(output.lines).toEqual([
      'failed: https://example.org/0.bin: the server answered 404 (try another address)',
      'failed: https://example.org/1.bin: late (try another address)',
      '10 more failed: see r.jsonl',
    ])
  })
})

import { describe, expect, it } from 'vitest'
import { createJsonRenderer } from '../../../src/cli/render/index.ts'
import { FakeClock, FakeJob, FakeOutput, item, progressOf, statsOf } from './fake-job.ts'

interface Line {
  type: string
  seq: number
  atMs: number
  missed?: number
  progress?: { ok: number }
  items?: { id: string }[]
}

function isLine(value: unknown): value is Line {
  return typeof value === 'object' && value !== null && 'type' in value && 'seq' in value
}

function read(output: FakeOutput): Line[] {
  return output.lines.map((line) => {
    const value: unknown = JSON.parse(line)
    if (!isLine(value)) throw new Error(`no event: ${line}`)
    return value
  })
}

function stage(maxKeptEvents = 100): {
  output: FakeOutput
  clock: FakeClock
  job: FakeJob
  renderer: ReturnType<typeof createJsonRenderer>
} {
  const output = new FakeOutput()
  const clock = new FakeClock()
  return { output, clock, job: new FakeJob(), renderer: createJsonRenderer({ output, clock, maxKeptEvents }) }
}

describe('createJsonRenderer', () => {
  it('writes each event as one line, and progress at most once a second', () => {
    const { output, clock, job, renderer } = stage()
    renderer.start(job)
    job.emit({ type: 'job.started', jobId: 'j', kind: 'get' })
    for (let ok = 1; ok < 9; ok++) job.emit({ type: 'progress', progress: progressOf({ ok }), items: [] })
    job.fail(1, 'two\nlines')
    clock.advance(1000)
    job.emit({ type: 'progress', progress: progressOf({ ok: 20 }), items: [] })
    job.emit({ type: 'job.finished', status: 'done', stats: statsOf({ ok: 20 }) })
    renderer.stop(statsOf({ ok: 20 }))
    const lines = read(output)
    expect(lines.map((line) => [line.seq, line.type, line.progress?.ok])).toEqual([
      [1, 'job.started', undefined],
      [10, 'task.finished', undefined],
      [9, 'progress', 8],
      [11, 'progress', 20],
      [12, 'job.finished', undefined],
    ])
    expect([job.listeners.size, clock.pending]).toEqual([0, 0])
  })

  it('makes progress from the counters where the job sends none', () => {
    const { output, clock, job, renderer } = stage()
    renderer.start(job)
    job.emit({ type: 'job.started', jobId: 'j', kind: 'get' })
    job.counters = progressOf({ ok: 3 })
    job.items = [item('a')]
    clock.advance(1000)
    expect(read(output)[1]).toMatchObject({
      type: 'progress',
      seq: 1,
      atMs: 1000,
      progress: { ok: 3 },
      items: [{ id: 'a' }],
    })
    renderer.stop()
  })

  it('drops item events of a slow reader beyond the bound, and tells the gap; never those of the job', () => {
    const { output, clock, job, renderer } = stage(2)
    renderer.start(job)
    output.ready = false
    for (let i = 0; i < 6; i++) job.fail(i)
    job.emit({ type: 'job.paused', reason: 'x' })
    clock.advance(3000)
    expect(read(output).map((line) => line.seq)).toEqual([1])
    output.drain()
    expect(read(output).map((line) => [line.type, line.seq, line.missed])).toEqual([
      ['task.finished', 1, undefined],
      ['task.finished', 2, undefined],
      ['task.finished', 3, undefined],
      ['job.paused', 7, undefined],
      ['gap', 7, 3],
    ])
    renderer.stop()
  })

  it('hands everything over at the end', () => {
    const { output, job, renderer } = stage(1)
    renderer.start(job)
    output.ready = false
    for (let i = 0; i < 4; i++) job.fail(i)
    job.emit({ type: 'job.finished', status: 'partial', stats: statsOf({ failed: 4 }) })
    renderer.stop(statsOf({ failed: 4 }))
    expect(read(output).map((line) => line.type)).toEqual([
      'task.finished',
      'task.finished',
      'job.finished',
      'gap',
    ])
  })
})

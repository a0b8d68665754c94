import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  colourStyle,
  createTerminalRenderer,
  plainStyle,
  type Renderer,
} from '../../../src/cli/render/index.ts'
import { displayWidth } from '../../../src/cli/render/display-width.ts'
import { failure, FakeClock, FakeJob, item, progressOf, statsOf } from './fake-job.ts'
import { ScreenModel } from './screen-model.ts'

const mebibyte = 1024 ** 2

interface Stage {
  screen: ScreenModel
  job: FakeJob
  clock: FakeClock
  renderer: Renderer
}

function stage(columns = 80, rows = 24, options: { verbose?: boolean; colour?: boolean } = {}): Stage {
  const screen = new ScreenModel(columns, rows)
  const clock = new FakeClock()
  const job = new FakeJob()
  const renderer = createTerminalRenderer({
    terminal: screen,
    clock,
    style: options.colour === true ? colourStyle : plainStyle,
    verbose: options.verbose ?? false,
  })
  return { screen, job, clock, renderer }
}

const running = progressOf({
  planned: 30_000,
  ok: 1200,
  skipped: 1,
  failed: 3,
  active: 16,
  doneBytes: 1200 * mebibyte,
  knownBytes: 3400 * mebibyte,
  speedBps: 35 * mebibyte,
  etaMs: 65_000,
  hosts: [
    { host: 'a.example', active: 0, limit: 4, pausedMs: 11_200 },
    { host: 'b.example', active: 4, limit: 4 },
    { host: 'c.example', active: 0, limit: 4, pausedMs: 2000 },
  ],
})

describe('createTerminalRenderer', () => {
  it('says a line above the live ones, and nothing once it has ended', () => {
    const { screen, job, renderer } = stage(100)
    job.counters = running
    renderer.start(job)
    renderer.say('stopping soon')
    expect(screen.text).toHaveLength(2)
    expect(screen.text[0]).toBe('stopping soon')
    renderer.stop()
    renderer.say('too late')
    expect(screen.text).toEqual(['stopping soon'])
  })

  it('shows no more of an item than there is of it, when its end came twice', () => {
    const { screen, job, clock, renderer } = stage(100)
    const twice = item('a', { doneBytes: 5 * mebibyte, sizeBytes: 4 * mebibyte })
    job.items = [twice]
    renderer.start(job)
    clock.advance(1000)
    expect(screen.text.join('\n')).toContain('100% 4.00 MiB/4.00 MiB')
    renderer.stop()
  })

  it('shows one total line, and items from their second poll on', () => {
    const { screen, job, clock, renderer } = stage(100)
    job.counters = running
    job.items = [item('first', { doneBytes: 0, sizeBytes: 40 * mebibyte, connections: 4 }), item('second')]
    renderer.start(job)
    expect(screen.text).toEqual([
      '1,204/30,000  1.17 GiB/3.32 GiB  35.0 MiB/s  ETA 1m05s  3 failed  a.example waits 12s (+1 hosts)',
    ])
    job.items = [
      item('first', { doneBytes: 10 * mebibyte, sizeBytes: 40 * mebibyte, connections: 4 }),
      item('second', { doneBytes: 5 * mebibyte }),
      item('third', { doneBytes: 1, sizeBytes: 2 }),
    ]
    clock.advance(125)
    expect(screen.text).toEqual([
      '  first.bin                            [=====>              ]  25% 10.0 MiB/40.0 MiB 80.0 MiB/s  x4',
      '  second.bin                           [                    ]               5.00 MiB 40.0 MiB/s',
      '1,204/30,000  1.17 GiB/3.32 GiB  35.0 MiB/s  ETA 1m05s  3 failed  a.example waits 12s (+1 hosts)',
    ])
    expect(screen.cursor.row).toBe(2)
    job.items = []
    clock.advance(125)
    expect(screen.text).toHaveLength(1)
    renderer.stop()
    expect(screen.text).toEqual([])
    expect(screen.cursor).toEqual({ row: 0, column: 0 })
  })

  it.each([
    [
      120,
      '1,204/30,000  1.17 GiB/3.32 GiB  35.0 MiB/s  ETA 1m05s  16 active  3 failed  1 skipped  a.example waits 12s (+1 hosts)',
    ],
    [80, '1,204/30,000  1.17 GiB/3.32 GiB  35.0 MiB/s  ETA 1m05s  3 failed'],
    [40, '1,204/30,000  35.0 MiB/s  3 failed'],
    [24, '1,204/30,000'],
    [10, '1,204/...'],
    [4, ''],
  ])('fits the total line into %i columns', (columns, expected) => {
    const { screen, job, renderer } = stage(columns)
    job.counters = running
    renderer.start(job)
    expect(screen.text).toEqual(expected === '' ? [] : [expected])
    renderer.stop()
  })

  it('prints failures above, the first ten, and the rest in the summary', () => {
    const { screen, job, clock, renderer } = stage()
    job.counters = progressOf({ planned: 20, failed: 12, doneBytes: 5 })
    renderer.start(job)
    for (let i = 0; i < 12; i++) job.fail(i)
    job.fail(3)
    clock.advance(125)
    const shown = screen.text
    expect(shown.filter((line) => line.startsWith('failed: https://'))).toHaveLength(10)
    expect(shown[0]).toBe('failed: https://example.org/0.bin: the server answered 404 (try another address)')
    expect(shown.at(-1)).toBe('12/20  5 B  0 B/s  0 active  12 failed')
    renderer.stop(
      statsOf({
        planned: 20,
        ok: 7,
        skipped: 1,
        failed: 12,
        sizeBytes: 3 * mebibyte,
        fetchedBytes: 4 * mebibyte,
        durationMs: 65_000,
        meanSpeedBps: 2 * mebibyte,
        retries: 2,
        failures: { ERR_NO_SPACE: 2, ERR_IO: 10 },
        reuse: { checks: 4, hits: 1, savedBytes: mebibyte },
      }),
      { reportPath: 'out/report.jsonl', failures: [failure(3, 'again'), failure(11, 'late')] },
    )
    expect(screen.text.slice(10)).toEqual([
      '10 x ERR_IO: Reading or writing a file failed.',
      '2 x ERR_NO_SPACE: The disk or quota is full.',
      '2 more failed: see out/report.jsonl',
      '7 ok, 1 skipped, 12 failed of 20 in 1m05s',
      '3.00 MiB in files, 4.00 MiB fetched, mean 2.00 MiB/s, 2 retries',
      '1 of 4 found here already, 1.00 MiB not fetched',
    ])
  })

  it('tells failures whose events were lost, at the end', () => {
    const { screen, job, renderer } = stage()
    renderer.start(job)
    renderer.stop(statsOf({ planned: 3, failed: 2, unfinished: 1, failures: { ERR_NO_SPACE: 2 } }), {
      failures: [failure(0, 'full'), failure(1, 'full')],
      error: { code: 'ERR_NO_SPACE', message: 'cannot write x: no space left' },
    })
    expect(screen.text).toEqual([
      'failed: https://example.org/0.bin: full (try another address)',
      'failed: https://example.org/1.bin: full (try another address)',
      '2 x ERR_NO_SPACE: The disk or quota is full.',
      '0 ok, 0 skipped, 2 failed, 1 unfinished of 3 in 0ms',
      '0 B in files, 0 B fetched, mean 0 B/s',
      'unfinished: run the same command again to go on',
      'error: cannot write x: no space left (Make room. Transfers go on when there is space, or run the command again later.)'.slice(
        0,
        80,
      ),
      'error: cannot write x: no space left (Make room. Transfers go on when there is space, or run the command again later.)'.slice(
        80,
      ),
    ])
  })

  it('keeps long lines above whole, and the area below them intact', () => {
    const { screen, job, clock, renderer } = stage(40, 6)
    job.counters = progressOf({ planned: 9, ok: 1 })
    renderer.start(job)
    job.fail(1, 'x'.repeat(100))
    job.counters = progressOf({ planned: 9, ok: 2 })
    clock.advance(125)
    expect(screen.text.slice(0, -1).join('')).toBe(
      `failed: https://example.org/1.bin: ${'x'.repeat(100)} (try another address)`,
    )
    expect(screen.text.at(-1)).toBe('2/9  0 B  0 B/s  0 active')
    for (let i = 2; i < 8; i++) job.fail(i)
    expect(screen.text.at(-1)).toBe('2/9  0 B  0 B/s  0 active')
    renderer.stop()
  })

  it('shows phases and pauses, notices, full volumes, and with verbose also decisions', () => {
    const { screen, job, clock, renderer } = stage(100, 24, { verbose: true })
    renderer.start(job)
    job.emit({ type: 'job.phase', phase: 'packing', detail: 'a.pdf' })
    clock.advance(125)
    expect(screen.text).toEqual(['packing: a.pdf', 'packing a.pdf  0/0  0 B  0 B/s  0 active'])
    job.emit({ type: 'job.paused', reason: 'no space' })
    clock.advance(125)
    expect(screen.text.at(-1)).toBe('paused: no space  0/0  0 B  0 B/s  0 active')
    job.emit({ type: 'job.resumed' })
    job.emit({ type: 'job.notice', message: 'a\u001b[2Jb\nc' })
    job.emit({
      type: 'volume.paused',
      path: 'out',
      error: { code: 'ERR_NO_SPACE', message: 'full', hint: '' },
    })
    job.emit({ type: 'volume.resumed', path: 'out' })
    job.emit({ type: 'host.paused', host: 'a.example', forMs: 2500, reason: '429' })
    job.emit({ type: 'host.resumed', host: 'a.example' })
    job.emit({ type: 'host.limit', host: 'a.example', limit: 3, reason: 'slower' })
    job.emit({
      type: 'task.retrying',
      id: 'x',
      input: 'https://u:p@h.example/a',
      attempt: 2,
      delayMs: 1000,
      error: { code: 'ERR_IO', message: 'https://***@h.example/a: broken' },
    })
    job.emit({ type: 'gap', missed: 4 })
    clock.advance(125)
    expect(screen.text.slice(1)).toEqual([
      'paused: no space',
      'going on',
      'ab c',
      'waiting: out: full',
      'going on: out',
      'a.example waits 3s: 429',
      'a.example goes on',
      'a.example: 3 at once: slower',
      'again in 1s (attempt 2): https://***@h.example/a: broken',
      '4 events were not shown',
      'packing a.pdf  0/0  0 B  0 B/s  0 active',
    ])
    renderer.stop()
  })

  it('tells no decisions without verbose', () => {
    const { screen, job, renderer } = stage()
    renderer.start(job)
    job.emit({ type: 'host.paused', host: 'a.example', forMs: 2500, reason: '429' })
    expect(screen.text).toHaveLength(1)
    renderer.stop()
  })

  it('paints again after a resize, though the old lines were folded', () => {
    const { screen, job, clock, renderer } = stage(80, 60)
    job.counters = running
    job.items = [item('one', { sizeBytes: 10 }), item('two', { sizeBytes: 10 })]
    screen.write('before\n')
    renderer.start(job)
    clock.advance(125)
    expect(screen.text).toHaveLength(4)
    for (const columns of [30, 120, 12, 45]) {
      screen.resize(columns)
      clock.advance(125)
      expect(screen.text).toHaveLength(4)
      expect(screen.text[0]).toBe('before')
      expect(screen.text[3]).toMatch(/^1,204/)
    }
    renderer.stop()
    expect(screen.text).toEqual(['before'])
  })

  it('takes no more lines than the screen has', () => {
    const { screen, job, clock, renderer } = stage(80, 4)
    job.items = Array.from({ length: 9 }, (_, i) => item(`n${i}`))
    renderer.start(job)
    clock.advance(125)
    expect(screen.text).toHaveLength(3)
    renderer.stop()
  })

  it('leaves the cursor visible and wrapping on after every single write', () => {
    const { screen, job, clock, renderer } = stage(80, 24, { colour: true })
    const states: boolean[] = []
    const write = screen.write.bind(screen)
    screen.write = (text: string): boolean => {
      write(text)
      states.push(screen.cursorVisible && screen.wraps)
      return true
    }
    job.items = [item('one')]
    renderer.start(job)
    clock.advance(125)
    job.fail(1)
    renderer.stop(statsOf({ planned: 1, failed: 1, failures: { ERR_IO: 1 } }))
    expect(states.length).toBeGreaterThan(4)
    expect(states).not.toContain(false)
  })

  it('writes nothing where nothing changed, and ends everything at stop', () => {
    const { screen, job, clock, renderer } = stage()
    renderer.start(job)
    const writes = screen.writes.length
    clock.advance(5000)
    expect(screen.writes).toHaveLength(writes)
    renderer.stop(statsOf({}))
    const text = screen.text
    renderer.stop(statsOf({ planned: 7 }))
    renderer.start(job)
    expect(screen.text).toEqual(text)
    expect([job.listeners.size, clock.pending, screen.resizeListeners]).toEqual([0, 0, 0])
  })

  it('never wraps, whatever the names, sizes and widths are', () => {
    const active = fc.record({
      id: fc.constantFrom('a', 'b', 'c'),
      name: fc.string({ unit: 'grapheme', maxLength: 60 }),
      doneBytes: fc.nat(),
      sizeBytes: fc.nat(),
      connections: fc.nat(16),
    })
    fc.assert(
      fc.property(
        fc.array(active, { maxLength: 3 }),
        fc.nat(130),
        fc.nat({ max: 2 ** 50 }),
        (items, width, bytes) => {
          const { screen, job, clock, renderer } = stage(width + 1, 10)
          job.items = items
          job.counters = { ...running, doneBytes: bytes, planned: bytes }
          renderer.start(job)
          clock.advance(250)
          expect(screen.overflows).toBe(0)
          for (const line of screen.text) expect(displayWidth(line)).toBeLessThanOrEqual(width)
          renderer.stop()
          expect(screen.text).toEqual([])
        },
      ),
      { numRuns: 150 },
    )
  })
})

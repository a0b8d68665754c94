import { describe, expect, test } from 'vitest'
import {
  comparisonSvg,
  describeMachine,
  summarise,
  timesOf,
  type Comparison,
  type ModeRun,
} from '../../../src/session/compare/index.ts'

const machine = {
  cpu: 'A <fast> & "quiet" processor',
  processors: 4,
  memoryBytes: 8 * 1024 ** 3,
  system: 'Linux 6.1',
  node: 'v24.1.0',
  trawl: '1.2.3',
}
const run = (mode: ModeRun['mode'], durationMs: number, more: Partial<ModeRun> = {}): ModeRun => ({
  mode,
  round: 1,
  durationMs,
  ok: 100,
  failed: 0,
  sizeBytes: 1_000_000,
  ...more,
})
const comparison = (runs: readonly ModeRun[], list = 'list.txt'): Comparison => ({
  version: 1,
  list,
  startedAt: '2026-01-02T03:04:05.000Z',
  machine,
  workers: 2,
  runs,
})

const bars = (svg: string): number[] =>
  [...svg.matchAll(/<rect x="[\d.]+" y="[\d.]+" width="[\d.]+" height="([\d.]+)"/g)].map((match) =>
    Number(match[1]),
  )

describe('a comparison', () => {
  test('is summed up by medians, with the worst of the failures', () => {
    const runs = [
      run('loop', 6000),
      run('async', 1000),
      run('loop', 12_000, { round: 2 }),
      run('async', 3000, { round: 2, ok: 90, failed: 10 }),
      run('loop', 6000, { round: 3 }),
      run('async', 2000, { round: 3 }),
    ]
    expect(summarise({ runs })).toMatchObject([
      { mode: 'loop', rounds: 3, durationMs: 6000, filesPerMinute: 1000, failed: 0, ok: 100 },
      { mode: 'async', rounds: 3, durationMs: 2000, filesPerMinute: 3000, failed: 10, ok: 90 },
    ])
  })

  test('of two rounds takes the middle; of nothing is nothing', () => {
    const [only] = summarise({ runs: [run('loop', 1000), run('loop', 2000)] })
    expect(only).toMatchObject({ durationMs: 1500, filesPerMinute: 4500 })
    expect(summarise({ runs: [] })).toEqual([])
  })

  test('tells of its machine', () => {
    expect(describeMachine(machine)).toBe(
      'A <fast> & "quiet" processor, 4 processors, 8.00 GiB, Linux 6.1, Node 24.1.0, trawl 1.2.3',
    )
  })

  test.each([
    [0.05, '0.05x'],
    [1, '1.0x'],
    [2.61, '2.6x'],
    [24.4, '24x'],
  ])('%d times as much', (value, text) => {
    expect(timesOf(value)).toBe(text)
  })
})

describe('the image of a comparison', () => {
  test('has a bar for each mode, as high as its number', () => {
    const svg = comparisonSvg(
      comparison([run('loop', 60_000), run('threads', 3000), run('processes', 2000), run('async', 1000)]),
    )
    const [loop = 0, threads = 0, processes = 0, async = 0] = bars(svg)
    expect(threads / loop).toBeCloseTo(20, 0)
    expect(processes / threads).toBeCloseTo(1.5, 1)
    expect(async / processes).toBeCloseTo(2, 1)
    expect(svg).toContain('6,000 (60x)')
    expect(svg).toContain('2 workers, their start included')
    expect(svg).toContain('2026-01-02')
    expect(svg).not.toMatch(/NaN|Infinity|undefined/)
  })

  test('is sound XML whatever the list and the processor are called', () => {
    const svg = comparisonSvg(comparison([run('async', 10)], '<b>&"\u0000 a name that goes on and on and on'))
    expect(svg).toContain('Files a minute: &lt;b&gt;&amp;&quot;  a name')
    expect(svg).toContain('A &lt;fast&gt; &amp; &quot;quiet&quot; processor')
    expect(svg).not.toMatch(/<b>/)
  })

  test('of runs in which all failed', () => {
    const svg = comparisonSvg(comparison([run('async', 5, { ok: 0, failed: 3, sizeBytes: 0 })]))
    expect(bars(svg)).toEqual([0])
    expect(svg).toContain('3 failed')
    expect(svg).not.toMatch(/NaN|Infinity/)
  })
})

import { describe, expect, it } from 'vitest'
import { fileRate, limitRange, simulate, type SimulationOptions } from './simulation.ts'

const small = { sizeBytes: 12_000, clientMs: 0.075 } as const
const seeds = [1, 926_909, 165_265, 480_984, 527_686, 578_130, 934_722]

describe('faults that come whatever the number', () => {
  it.each([0.02, 0.05, 0.1, 0.3])('do not hold the work down: %d of the requests fail', (failShare) => {
    for (const seed of seeds) {
      const origin = { latencyMs: 60, jitter: 0.2, failShare }
      const result = simulate({ origin, ...small, untilMs: 15_000, seed })
      // 256 at once bring 4,200 a second.
      expect(fileRate(result, 0, 15_000)).toBeGreaterThan(3400)
      expect(fileRate(result, 8000, 15_000)).toBeGreaterThan(3800)
    }
  })

  it('do not hold the work down when bodies break off or hang', () => {
    const faults = { failShare: 0.02, breakShare: 0.022, hangShare: 0.0025 }
    for (const seed of seeds) {
      const origin = { latencyMs: 60, jitter: 0.3, ...faults }
      const result = simulate({ origin, ...small, untilMs: 15_000, seed })
      expect(limitRange(result, 3000, 15_000)[0]).toBeGreaterThanOrEqual(100)
    }
  })

  it('are not mistaken for resets above a number, which hold', () => {
    for (const seed of seeds) {
      const origin = { latencyMs: 60, jitter: 0.2, resetAbove: 24, failShare: 0.02 }
      const result = simulate({ origin, ...small, untilMs: 20_000, seed })
      expect(fileRate(result, 0, 20_000)).toBeGreaterThan(0.6 * 400)
      expect(result.errors).toBeLessThan(400)
      expect(limitRange(result, 5000, 20_000)[1]).toBeLessThanOrEqual(32)
    }
  })
})

describe('refusals that come whatever the number', () => {
  const stray = { latencyMs: 60, jitter: 0.3, refuseShare: 0.0005 }

  it('are obeyed, and the number stays', () => {
    for (const seed of [1, 3, 4, 5, 7]) {
      const options: SimulationOptions = { origin: stray, ...small, untilMs: 40_000, seed }
      expect(limitRange(simulate(options), 30_000, 40_000)[0]).toBeGreaterThanOrEqual(100)
    }
  })

  it('hold the host back for as long as it asks', () => {
    const origin = { ...stray, retryAfterMs: 1000 }
    const result = simulate({ origin, ...small, untilMs: 30_000 })
    expect(result.throttled).toBeGreaterThan(3)
    const [first = 0, second = 0] = result.throttledAtMs.filter((atMs) => atMs > 2000)
    // Those that were under way may be refused at the same time; then nothing is asked.
    const next = result.throttledAtMs.find((atMs) => atMs > first + 200) ?? second
    expect(next).toBeGreaterThan(first + 900)
  })
})

describe('what an earlier run remembered', () => {
  const memory = [{ host: 'origin.test', ceiling: 12, atWallMs: 1_700_000_000_000 - 86_400_000 }]

  it('is stayed below at first, tried again later, and forgotten where the host has outgrown it', () => {
    const result = simulate({ origin: { latencyMs: 60 }, ...small, untilMs: 60_000, governor: { memory } })
    expect(limitRange(result, 0, 29_000)[1]).toBe(12)
    expect(limitRange(result, 50_000, 60_000)[0]).toBeGreaterThan(100)
    expect(result.learned).toEqual([])
  })

  it('is kept where the host still refuses more', () => {
    const origin = { latencyMs: 60, jitter: 0.2, throttleAbove: 12 }
    const result = simulate({ origin, ...small, untilMs: 60_000, governor: { memory } })
    expect(limitRange(result, 0, 60_000)[1]).toBeLessThanOrEqual(14)
    expect(result.throttled).toBeLessThan(20)
    const [learned] = result.learned
    expect(learned?.ceiling).toBeGreaterThanOrEqual(10)
    expect(learned?.ceiling).toBeLessThanOrEqual(12)
  })
})

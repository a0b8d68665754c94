import { describe, expect, it } from 'vitest'
import { LevelTally, type TallyEnd } from '../../../src/engine/governor/level-tally.ts'

function tallyOf(counts: readonly (readonly [level: number, end: TallyEnd, times: number])[]): LevelTally {
  const tally = new LevelTally()
  for (const [level, end, times] of counts) for (let at = 0; at < times; at++) tally.count(level, end)
  return tally
}

describe('refusals', () => {
  it('are strays where nearly all others of that level and above are served', () => {
    expect(
      tallyOf([
        [32, 'served', 64],
        [32, 'refused', 1],
      ]).isStray(32),
    ).toBe(true)
    expect(
      tallyOf([
        [64, 'served', 64],
        [32, 'refused', 1],
      ]).isStray(32),
    ).toBe(true)
    expect(
      tallyOf([
        [32, 'served', 63],
        [32, 'refused', 1],
      ]).isStray(32),
    ).toBe(false)
  })

  it('are none where only lower levels are served', () => {
    expect(
      tallyOf([
        [24, 'served', 400],
        [25, 'refused', 1],
      ]).isStray(25),
    ).toBe(false)
  })

  it('are strays where as many are refused at few as at many', () => {
    const low = [
      [8, 'served', 100],
      [8, 'refused', 3],
    ] as const
    expect(tallyOf([...low, [32, 'served', 40], [32, 'refused', 2]]).isStray(32)).toBe(true)
    expect(
      tallyOf([
        [8, 'served', 103],
        [32, 'served', 40],
        [32, 'refused', 5],
      ]).isStray(32),
    ).toBe(false)
  })

  it('are a wish to be obeyed where they are many', () => {
    expect(
      tallyOf([
        [3, 'served', 90],
        [3, 'refused', 10],
      ]).isStray(3),
    ).toBe(false)
    expect(
      tallyOf([
        [3, 'served', 90],
        [3, 'refused', 2],
      ]).isStray(3),
    ).toBe(true)
  })
})

describe('failures', () => {
  it('are alike where few requests at once fail as often as many', () => {
    const low = [
      [8, 'served', 95],
      [8, 'failed', 5],
    ] as const
    expect(tallyOf([...low, [32, 'served', 95], [32, 'failed', 5]]).failsAlike(32, 32)).toBe(true)
    expect(tallyOf([...low, [32, 'served', 60], [32, 'failed', 40]]).failsAlike(32, 32)).toBe(false)
  })

  it('are not alike while too little is known, nor where nothing is served', () => {
    expect(
      tallyOf([
        [8, 'served', 20],
        [8, 'failed', 5],
        [32, 'failed', 5],
      ]).failsAlike(32, 32),
    ).toBe(false)
    expect(
      tallyOf([
        [8, 'failed', 100],
        [32, 'failed', 100],
      ]).failsAlike(32, 32),
    ).toBe(false)
  })

  it('are forgotten as others are counted', () => {
    const tally = tallyOf([[8, 'failed', 100]])
    expect(tally.failedShare).toBeGreaterThan(0.5)
    for (let at = 0; at < 5000; at++) tally.count(2000, 'served')
    expect(tally.failedShare).toBeLessThan(0.01)
  })
})

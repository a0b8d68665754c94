import { describe, expect, it } from 'vitest'
import { judgeSize } from '../../../src/datasets/samples/index.ts'

describe('judgeSize', () => {
  it('lets through what is on the limits, and says which limit was passed', () => {
    const limits = { minImageSizePx: 100, maxImageAreaPx: 100_000, maxAspectRatio: 3 }
    expect(judgeSize({ widthPx: 300, heightPx: 100 }, limits)).toBeUndefined()
    expect(judgeSize({ widthPx: 99, heightPx: 200 }, limits)?.context['filter']).toBe('small')
    expect(judgeSize({ widthPx: 400, heightPx: 251 }, limits)?.context['filter']).toBe('area')
    expect(judgeSize({ widthPx: 100, heightPx: 301 }, limits)?.context['filter']).toBe('ratio')
    expect(judgeSize({ widthPx: 1, heightPx: 1_000_000 }, {})).toBeUndefined()
  })
})

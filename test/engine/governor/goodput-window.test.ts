import { expect, it } from 'vitest'
import { GoodputWindow } from '../../../src/engine/governor/goodput-window.ts'

/** One completion at each of these moments, where a request usually takes 60 ms. */
function windowOf(moments: readonly number[]): GoodputWindow {
  const window = new GoodputWindow()
  window.open(0, 0, 0)
  moments.forEach((atMs, index) => {
    window.heard(atMs, 60)
    window.completed(index, index + 1, true)
  })
  return window
}

it('does not count time in which a whole request would have had room', () => {
  expect(windowOf([10, 20, 30, 40]).heardMs(40)).toBe(40)
  expect(windowOf([10, 20, 30, 190, 200]).heardMs(200)).toBe(100)
  expect(windowOf([10, 20, 190, 200]).goodput(200).requests).toBe(4 / 90)
})

it('forgives a stall, not a standstill', () => {
  expect(windowOf([10, 20, 1080]).heardMs(1080)).toBe(830)
})

it('counts a silence in the window only that it fell into', () => {
  const window = windowOf([10, 20])
  window.open(100, 2, 0)
  window.heard(180, 60)
  expect(window.heardMs(180)).toBe(0)
})

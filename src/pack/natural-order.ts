import { collateNaturally } from '../core/index.ts'

/**
 * Compares names of pages as people sort them, part by part of their path: `ch2/page10` after `ch2/page9` and before
 * `ch10/page1`. A total order: names that differ are never equal.
 */
export function comparePageNames(a: string, b: string): number {
  const left = a.split('/')
  const right = b.split('/')
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const order = collateNaturally(left[i] ?? '', right[i] ?? '')
    if (order !== 0) return order
  }
  return left.length - right.length || (a < b ? -1 : a > b ? 1 : 0)
}

import { collateNaturally } from '../core/index.ts'

/**
 * Compares names as people sort them: `page2` before `page10`, capitals beside small letters. A total order: names
 * that differ are never equal.
 */
export function compareNaturally(a: string, b: string): number {
  return collateNaturally(a, b) || (a < b ? -1 : a > b ? 1 : 0)
}

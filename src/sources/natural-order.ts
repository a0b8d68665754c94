const collator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' })

/**
 * Compares names as people sort them: `page2` before `page10`, capitals beside small letters. A total order: names
 * that differ are never equal.
 */
export function compareNaturally(a: string, b: string): number {
  return collator.compare(a, b) || (a < b ? -1 : a > b ? 1 : 0)
}

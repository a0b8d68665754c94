const durations = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const

const sizes = [
  ['TiB', 1024 ** 4],
  ['GiB', 1024 ** 3],
  ['MiB', 1024 ** 2],
  ['KiB', 1024],
] as const

/** A whole number of milliseconds as the shortest text that `parseDuration` reads back exactly: `90s`, `350ms`. */
export function exactDuration(durationMs: number): string {
  if (durationMs === 0) return '0'
  for (const [unit, factor] of durations) {
    if (durationMs % factor === 0) return `${durationMs / factor}${unit}`
  }
  return `${durationMs}ms`
}

/** A whole number of bytes as the shortest text that `parseSize` reads back exactly: `10MiB`, `1000`. */
export function exactSize(sizeBytes: number): string {
  if (sizeBytes === 0) return '0'
  for (const [unit, factor] of sizes) {
    if (sizeBytes % factor === 0) return `${sizeBytes / factor}${unit}`
  }
  return String(sizeBytes)
}

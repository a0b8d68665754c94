import type { Benchmark } from './benchmark.ts'

/** Benchmarks beside other programs, by name. */
export const benchmarks: Readonly<Record<string, () => Promise<Benchmark>>> = {
  'small-files': async () => (await import('./small-files.ts')).smallFiles,
  'late-origin': async () => (await import('./late-origin.ts')).lateOrigin,
}

/** Benchmarks that print their own results: started as programs, with the arguments that follow `--`. */
export const scripts: Readonly<Record<string, string>> = {
  'dataset-plan': 'dataset-plan.ts',
  images: 'images.ts',
  pack: 'pack.ts',
  soak: 'soak.ts',
}

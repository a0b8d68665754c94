import type { Benchmark } from './benchmark.ts'

/** Benchmarks beside other programs, by name. */
export const benchmarks: Readonly<Record<string, () => Promise<Benchmark>>> = {
  'small-files': async () => (await import('./small-files.ts')).smallFiles,
  'late-origin': async () => (await import('./late-origin.ts')).lateOrigin,
  'million-lines': async () => (await import('./million-lines.ts')).millionLines,
  'large-file': async () => (await import('./large-file.ts')).largeFile,
  'capped-origin': async () => (await import('./capped-origin.ts')).cappedOrigin,
  'total-cap': async () => (await import('./total-cap.ts')).totalCap,
  collapse: async () => (await import('./collapse.ts')).collapse,
  'slow-collapse': async () => (await import('./collapse.ts')).slowCollapse,
  dataset: async () => (await import('./dataset.ts')).dataset,
  'dataset-keep': async () => (await import('./dataset.ts')).datasetKeep,
  book: async () => (await import('./book.ts')).book,
  soak: async () => (await import('./soak.ts')).soak,
}

/** Benchmarks that print their own results: started as programs, with the arguments that follow `--`. */
export const scripts: Readonly<Record<string, string>> = {
  'dataset-plan': 'dataset-plan.ts',
  images: 'images.ts',
  pack: 'pack.ts',
}

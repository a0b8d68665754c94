import type { Origin, PackOptions } from '../config/index.ts'

type Format = PackOptions['formats'][number]

const formatOfExtension: Readonly<Record<string, Format>> = {
  pdf: 'pdf',
  cbz: 'cbz',
  epub: 'epub',
  zip: 'zip',
}

/** Where nobody said which format, the extension of `--out` does: `-o book.cbz` makes a CBZ. */
export function withFormatOfOut<
  V extends { readonly out?: string | undefined; readonly formats: readonly Format[] },
>({ values, origins }: { readonly values: V; readonly origins: Readonly<Record<string, Origin>> }): V {
  const layer = origins['formats']?.layer ?? 'default'
  const extension = /\.(\w+)$/.exec(values.out ?? '')?.[1]?.toLowerCase()
  const format = extension === undefined ? undefined : formatOfExtension[extension]
  return layer === 'default' && format !== undefined ? { ...values, formats: [format] } : values
}

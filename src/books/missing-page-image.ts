import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { TrawlError } from '../core/index.ts'
import { placeholderPage, probeImageFile, type ImageFacts } from '../images/index.ts'

/** Makes the picture that stands for a missing page and says so. Throws storage errors. */
export async function missingPageImage(
  dir: string,
  page: {
    readonly key: string
    readonly lines: readonly string[]
    readonly widthPx?: number | undefined
    readonly heightPx?: number | undefined
  },
): Promise<{ readonly path: string; readonly facts: ImageFacts }> {
  const { key, lines, widthPx = 1000, heightPx = 1414 } = page
  const bytes = await placeholderPage({ lines, widthPx, heightPx })
  mkdirSync(dir, { recursive: true })
  const path = join(dir, `${key}.png`)
  writeFileSync(path, bytes)
  const facts = await probeImageFile(path)
  if (!facts) throw new TrawlError('ERR_INTERNAL', 'the placeholder is no image')
  return { path, facts }
}

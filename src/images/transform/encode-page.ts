import type { Sharp } from 'sharp'
import type { ImageFacts } from '../image-facts.ts'
import { formatName, type PageFormat, type PagePlan } from './page-plan.ts'

const DEFAULT_QUALITY = 90

/** The format of the output: what was asked for, else that of the original, else one that loses nothing visible. */
export function outputFormat(plan: PagePlan, facts: ImageFacts): PageFormat {
  const same = plan.convert ?? formatName(facts)
  if (same) return same
  const lossy = facts.format === 'avif' || facts.format === 'heic'
  return lossy && !facts.alpha ? 'jpg' : 'png'
}

/** Whether 16 bits a sample survive into the output. */
export function isDeep(plan: PagePlan, facts: ImageFacts): boolean {
  return (
    facts.bitDepth === 16 &&
    (facts.format === 'png' || facts.format === 'tiff') &&
    outputFormat(plan, facts) === 'png'
  )
}

/** Sets encoder and quality. JPEG has no alpha: what is transparent becomes white. */
export function encodePage(image: Sharp, plan: PagePlan, facts: ImageFacts): Sharp {
  const quality = plan.quality ?? DEFAULT_QUALITY
  const format = outputFormat(plan, facts)
  if (format === 'png') return image.png({ compressionLevel: 6 })
  if (format === 'webp') {
    return image.webp({ quality, effort: 2, lossless: plan.convert === undefined && facts.lossless === true })
  }
  return (facts.alpha ? image.flatten({ background: '#ffffff' }) : image).jpeg({
    quality,
    chromaSubsampling: chromaFor(plan, facts),
    optimiseCoding: plan.compact === true,
  })
}

function chromaFor(plan: PagePlan, facts: ImageFacts): '4:4:4' | '4:2:0' {
  if (plan.chroma !== undefined && plan.chroma !== 'auto') return plan.chroma
  return facts.chroma === '4:2:0' ? '4:2:0' : '4:4:4'
}

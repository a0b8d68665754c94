import type { HeaderBytes } from '../bytes/header-bytes.ts'
import type { FactsDraft } from './facts-draft.ts'

/** SVG is recognised, not drawn: size from width and height, else viewBox, else the 300 x 150 of CSS. */
export function probeSvg(bytes: HeaderBytes, draft: FactsDraft): void {
  const text = bytes.slice(0, Math.min(4096, bytes.sizeBytes)).toString('utf8')
  const root = /<svg\b[^>]*/i.exec(text)?.[0] ?? ''
  const box = /viewBox\s*=\s*["']\s*[-\d.e]+[\s,]+[-\d.e]+[\s,]+([\d.e]+)[\s,]+([\d.e]+)/i.exec(root)
  draft.alpha = true
  draft.heightPx = length(root, 'height') ?? pixels(box?.[2]) ?? 150
  draft.widthPx = length(root, 'width') ?? pixels(box?.[1]) ?? 300
}

function length(root: string, name: string): number | undefined {
  return pixels(new RegExp(`\\s${name}\\s*=\\s*["']\\s*([\\d.]+)(?:px)?\\s*["']`, 'i').exec(root)?.[1])
}

function pixels(text: string | undefined): number | undefined {
  const value = Math.round(Number(text))
  return value >= 1 && value <= 1e6 ? value : undefined
}

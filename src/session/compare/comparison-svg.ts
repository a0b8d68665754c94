import { summarise, type Comparison, type ModeSummary } from './comparison.ts'
import { describeMachine } from './machine.ts'

const width = 760
const height = 440
const plot = { left: 84, right: width - 24, top: 76, bottom: height - 92 } as const
const colours: Readonly<Record<ModeSummary['mode'], string>> = {
  loop: '#8a8f98',
  threads: '#d98324',
  processes: '#2e8b57',
  async: '#2f6fb5',
}

/**
 * A comparison as an SVG image: a bar for the files a minute of each mode, with its number and how many times that of
 * the first, and the machine it was measured on. Whole by itself: no font, script or image is fetched.
 */
export function comparisonSvg(comparison: Comparison): string {
  const modes = summarise(comparison)
  const most = Math.max(1, ...modes.map((each) => each.filesPerMinute))
  const step = niceStep(most / 4)
  const top = Math.max(step, Math.ceil(most / step) * step)
  const y = (value: number): number => plot.bottom - ((plot.bottom - plot.top) * value) / top
  const title = `Files a minute: ${comparison.list}`
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeXml(describeBars(title, modes))}" font-family="system-ui, 'DejaVu Sans', Arial, sans-serif">
<rect width="100%" height="100%" fill="#ffffff"/>
<text x="${plot.left}" y="34" font-size="20" font-weight="600" fill="#1b1f24">${escapeXml(cut(title, 46))}</text>
<text x="${plot.left}" y="56" font-size="13" fill="#57606a">${escapeXml(subtitle(comparison, modes))}</text>
${gridLines(top, step, y)}
${modes.map((each, n) => bar(each, { n, of: modes, y })).join('\n')}
<line x1="${plot.left}" y1="${plot.bottom}" x2="${plot.right}" y2="${plot.bottom}" stroke="#1b1f24"/>
${footer(comparison)}
</svg>
`
}

function subtitle({ workers }: Comparison, modes: readonly ModeSummary[]): string {
  const files = Math.max(0, ...modes.map((each) => each.ok + each.failed))
  const rounds = Math.max(0, ...modes.map((each) => each.rounds))
  const withWorkers = modes.some(({ mode }) => mode === 'threads' || mode === 'processes')
  const parts = [`${files} files`, rounds === 1 ? 'one run of each' : `medians of ${rounds} runs`]
  if (withWorkers) parts.push(`${workers} ${workers === 1 ? 'worker' : 'workers'}, their start included`)
  return parts.join(', ')
}

function gridLines(top: number, step: number, y: (value: number) => number): string {
  const lines: string[] = []
  for (let value = 0; value <= top; value += step) {
    const at = y(value).toFixed(1)
    lines.push(
      `<line x1="${plot.left}" y1="${at}" x2="${plot.right}" y2="${at}" stroke="#e3e6ea"/>`,
      `<text x="${plot.left - 8}" y="${(y(value) + 4).toFixed(1)}" font-size="12" text-anchor="end" fill="#57606a">${count(value)}</text>`,
    )
  }
  return lines.join('\n')
}

function bar(
  summary: ModeSummary,
  place: { readonly n: number; readonly of: readonly ModeSummary[]; readonly y: (value: number) => number },
): string {
  const slot = (plot.right - plot.left) / place.of.length
  const barWidth = Math.min(110, slot * 0.6)
  const middle = plot.left + slot * (place.n + 0.5)
  const at = place.y(summary.filesPerMinute)
  const first = place.of[0]?.filesPerMinute ?? 0
  const times = place.n > 0 && first > 0 ? ` (${timesOf(summary.filesPerMinute / first)})` : ''
  const failed = summary.failed > 0 ? `${summary.failed} failed` : ''
  return [
    `<rect x="${(middle - barWidth / 2).toFixed(1)}" y="${at.toFixed(1)}" width="${barWidth.toFixed(1)}" height="${(plot.bottom - at).toFixed(1)}" fill="${colours[summary.mode]}"/>`,
    text(middle, at - 8, `${count(summary.filesPerMinute)}${times}`, 'font-size="13" fill="#1b1f24"'),
    text(middle, plot.bottom + 20, summary.mode, 'font-size="14" font-weight="600" fill="#1b1f24"'),
    text(middle, plot.bottom + 36, failed, 'font-size="12" fill="#b42318"'),
  ].join('\n')
}

function footer({ machine, startedAt }: Comparison): string {
  const [first = '', second = ''] = wrapped(`${describeMachine(machine)}, ${startedAt.slice(0, 10)}`, 104)
  const style = 'font-size="11" fill="#57606a"'
  return [
    `<text x="${plot.left}" y="${height - 34}" ${style}>${escapeXml(first)}</text>`,
    `<text x="${plot.left}" y="${height - 18}" ${style}>${escapeXml(second)}</text>`,
  ].join('\n')
}

function text(x: number, y: number, content: string, style: string): string {
  if (content === '') return ''
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="middle" ${style}>${escapeXml(content)}</text>`
}

/** What the image shows, for those who cannot see it. */
function describeBars(title: string, modes: readonly ModeSummary[]): string {
  return `${title}. ${modes.map((each) => `${each.mode}: ${count(each.filesPerMinute)}`).join(', ')}.`
}

/** 1, 2 or 5 times a power of ten, at least so much. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(least, 1)))
  return ([1, 2, 5].find((each) => each * power >= least) ?? 10) * power
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

/** How many times as much, as people say it. */
export function timesOf(value: number): string {
  return `${value.toFixed(value >= 10 ? 0 : value >= 1 ? 1 : 2)}x`
}

function cut(words: string, chars: number): string {
  return words.length <= chars ? words : `${words.slice(0, chars - 1)}\u2026`
}

/** Two lines at most, broken between words. */
function wrapped(words: string, chars: number): string[] {
  if (words.length <= chars) return [words]
  const at = words.lastIndexOf(' ', chars)
  return [words.slice(0, at), cut(words.slice(at + 1), chars)]
}

function escapeXml(words: string): string {
  return (
    words
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      // Most control characters are not allowed in XML at all.
      .replaceAll(/\p{Cc}/gu, ' ')
  )
}

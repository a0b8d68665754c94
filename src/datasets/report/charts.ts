import { escapeHtml, percent, table, wholeNumber } from './html.ts'
import type { ReportBin } from './report-data.ts'

const barHeight = 22
const labelWidth = 170
const barWidth = 380
const chartWidth = 660

/** Horizontal bars with their counts, and the same as a table for those who cannot see them. */
export function barChart(title: string, bins: readonly ReportBin[]): string {
  const total = bins.reduce((sum, bin) => sum + bin.count, 0)
  if (total === 0) return ''
  const most = Math.max(...bins.map((bin) => bin.count))
  const bars = bins.map((bin, i) => {
    const y = i * barHeight
    const width = Math.max(bin.count > 0 ? 1 : 0, (barWidth * bin.count) / most)
    return (
      `<text x="${labelWidth - 8}" y="${y + 15}" text-anchor="end">${escapeHtml(bin.label)}</text>` +
      `<rect x="${labelWidth}" y="${y + 3}" width="${width.toFixed(1)}" height="${barHeight - 6}" rx="2"/>` +
      `<text x="${(labelWidth + width + 8).toFixed(1)}" y="${y + 15}">${wholeNumber(bin.count)}</text>`
    )
  })
  const rows = bins.map((bin) => [escapeHtml(bin.label), wholeNumber(bin.count), percent(bin.count, total)])
  return figure(title, {
    svg: svg(title, bins.length * barHeight, bars.join('\n')),
    data: table(title, ['', 'Images', 'Share'], rows),
  })
}

const plotHeight = 150
const plotLeft = 70

/** A line over time with its highest value, and the same as a table. */
export function lineChart(
  title: string,
  points: readonly { readonly label: string; readonly value: number }[],
  show: (value: number) => string,
): string {
  const most = Math.max(0, ...points.map((point) => point.value))
  if (most === 0) return ''
  const width = chartWidth - plotLeft - 10
  // A single point becomes a level line.
  const drawn = points.length === 1 ? [...points, ...points] : points
  const x = (i: number): number => plotLeft + (width * i) / (drawn.length - 1)
  const y = (value: number): number => 10 + plotHeight * (1 - value / most)
  const path = drawn.map((point, i) => `${x(i).toFixed(1)},${y(point.value).toFixed(1)}`)
  const ground = y(0)
  const inside = [
    `<polygon points="${plotLeft},${ground} ${path.join(' ')} ${x(drawn.length - 1).toFixed(1)},${ground}"/>`,
    `<line x1="${plotLeft}" y1="${ground}" x2="${chartWidth - 10}" y2="${ground}"/>`,
    `<text x="${plotLeft - 8}" y="16" text-anchor="end">${escapeHtml(show(most))}</text>`,
    `<text x="${plotLeft - 8}" y="${ground}" text-anchor="end">0</text>`,
    `<text x="${plotLeft}" y="${ground + 18}">${escapeHtml(points[0]?.label ?? '')}</text>`,
    `<text x="${chartWidth - 10}" y="${ground + 18}" text-anchor="end">${escapeHtml(points.at(-1)?.label ?? '')}</text>`,
  ]
  const rows = points.map((point) => [escapeHtml(point.label), escapeHtml(show(point.value))])
  return figure(title, {
    svg: svg(`${title}; at most ${show(most)}`, ground + 26, inside.join('\n')),
    data: table(title, ['Time', 'Value'], rows),
  })
}

function svg(label: string, height: number, inside: string): string {
  return `<svg role="img" aria-label="${escapeHtml(label)}" viewBox="0 0 ${chartWidth} ${height}" width="${chartWidth}" height="${height}">${inside}</svg>`
}

function figure(title: string, parts: { readonly svg: string; readonly data: string }): string {
  return `<figure><figcaption>${escapeHtml(title)}</figcaption>${parts.svg}
<details><summary>As a table</summary>${parts.data}</details></figure>`
}

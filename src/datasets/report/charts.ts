import { escapeHtml, percent, table, wholeNumber } from './html.ts'
import type { ReportBin } from './report-data.ts'

/** Counts as a table with a bar beside each number, so that they read at any width and without eyes. */
export function barChart(title: string, head: string, bins: readonly ReportBin[]): string {
  const total = bins.reduce((sum, bin) => sum + bin.count, 0)
  if (total === 0) return ''
  const most = Math.max(...bins.map((bin) => bin.count))
  const rows = bins.map((bin) => [
    escapeHtml(bin.label),
    `${bar(bin.count, most)}${wholeNumber(bin.count)}`,
    percent(bin.count, total),
  ])
  return table(title, [head, 'Images', 'Share'], rows, { kind: 'bars' })
}

/** A bar as long as its part of `most`; what is not nothing is seen. */
function bar(count: number, most: number): string {
  if (count === 0) return ''
  return `<span class="bar" style="width:${Math.max(0.5, (60 * count) / most).toFixed(1)}%"></span>`
}

const plotWidth = 1000
const plotHeight = 150

/** An area over time with its highest value, and the same as a table. */
export function lineChart(
  title: string,
  points: readonly { readonly label: string; readonly value: number }[],
  show: (value: number) => string,
): string {
  const most = Math.max(0, ...points.map((point) => point.value))
  if (most === 0) return ''
  // A single point becomes a level line.
  const drawn = points.length === 1 ? [...points, ...points] : points
  const path = drawn.map(({ value }, i) => {
    const x = (plotWidth * i) / (drawn.length - 1)
    return `${x.toFixed(1)},${(plotHeight * (1 - value / most)).toFixed(1)}`
  })
  const label = escapeHtml(`${title}; at most ${show(most)}`)
  // The picture is stretched to the width there is; its words stand outside and are not.
  const svg =
    `<svg role="img" aria-label="${label}" viewBox="0 0 ${plotWidth} ${plotHeight}" preserveAspectRatio="none">` +
    `<polygon points="0,${plotHeight} ${path.join(' ')} ${plotWidth},${plotHeight}"/></svg>`
  const rows = points.map((point) => [escapeHtml(point.label), escapeHtml(show(point.value))])
  const [first, last] = [points[0]?.label ?? '', points.at(-1)?.label ?? '']
  return `<figure><figcaption>${escapeHtml(title)}</figcaption><p class="most">at most ${escapeHtml(show(most))}</p>${svg}
<p class="ends"><span>${escapeHtml(first)}</span><span>${escapeHtml(last)}</span></p>
<details><summary>As a table</summary>${table(title, ['Time', 'Value'], rows)}</details></figure>`
}

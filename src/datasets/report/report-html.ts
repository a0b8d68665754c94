import { formatDuration, formatSize } from '../../core/index.ts'
import { barChart, lineChart } from './charts.ts'
import type { Thumbnail } from './contact-sheet.ts'
import { escapeHtml, percent, table, wholeNumber } from './html.ts'
import type { ReportData } from './report-data.ts'

const style = `
:root { color-scheme: light dark; --ground: #fff; --text: #1c1f23; --quiet: #5a626b; --line: #d5dae0; --mark: #1f6f9f; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #14171a; --text: #e6e9ec; --quiet: #9aa4ae; --line: #353c44; --mark: #74bfe6; }
}
body { background: var(--ground); color: var(--text); font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
table { border-collapse: collapse; margin: 0.5rem 0; width: 100%; font-variant-numeric: tabular-nums; }
caption { color: var(--quiet); text-align: left; padding-bottom: 0.3rem; }
th, td { border-bottom: 1px solid var(--line); padding: 0.25rem 0.6rem 0.25rem 0; text-align: right; vertical-align: top; }
th:first-child, td:last-child.text { text-align: left; } th[scope=row] { font-weight: 500; overflow-wrap: anywhere; }
figure { margin: 1.5rem 0; } figcaption { font-weight: 600; margin-bottom: 0.4rem; }
svg { max-width: 100%; height: auto; } svg text { fill: var(--text); font-size: 13px; }
svg rect { fill: var(--mark); } svg polygon { fill: var(--mark); opacity: 0.75; } svg line { stroke: var(--line); }
summary { color: var(--quiet); cursor: pointer; }
.sheet { display: grid; grid-template-columns: repeat(auto-fill, minmax(112px, 1fr)); gap: 0.8rem; list-style: none; padding: 0; }
.sheet img { display: block; max-width: 100%; height: auto; } .sheet span { color: var(--quiet); font-size: 0.75rem; }
`

/**
 * A report as one HTML page that needs nothing else: no scripts, fonts or pictures from elsewhere. All that comes
 * from tables and servers is escaped.
 */
export function reportHtml(title: string, data: ReportData, thumbnails: readonly Thumbnail[]): string {
  const name = escapeHtml(title)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>${name}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${name}</h1>
${summary(data)}
${section('What became of the rows', codesTable(data))}
${section('Hosts', hostsTable(data))}
${section(
  'Originals',
  [
    barChart('Shorter side', data.sizes),
    barChart('Width to height', data.ratios),
    barChart('Length of the files', data.fileSizes),
    barChart('Formats', data.formats),
  ].join('\n'),
)}
${section('Throughput', throughput(data))}
${section('Samples', sheet(thumbnails))}
</main>
</body>
</html>
`
}

function section(title: string, content: string): string {
  return content.trim() === '' ? '' : `<section><h2>${title}</h2>\n${content}</section>`
}

function summary({ status }: ReportData): string {
  const { rows, shards, startTime = 0, endTime = 0 } = status
  const seconds = endTime - startTime
  const facts: [string, string][] = [
    ['Shards', `${wholeNumber(shards.committed)} of ${wholeNumber(shards.planned)}`],
    ['Rows', `${wholeNumber(rows.done)} of ${wholeNumber(rows.planned)}`],
    ['Images', `${wholeNumber(rows.success)} (${percent(rows.success, rows.done)})`],
    ['Failed to download', wholeNumber(rows.failed_to_download)],
    ['Failed to resize', wholeNumber(rows.failed_to_resize)],
    ['Fetched', escapeHtml(formatSize(status.fetchedBytes))],
    ['Written', escapeHtml(formatSize(status.imageBytes))],
    ['Requests for each row', rows.done === 0 ? '-' : (status.attempts / rows.done).toFixed(2)],
    ['From first to last', escapeHtml(formatDuration(seconds * 1000))],
    ['Mean', seconds > 0 ? `${wholeNumber(rows.done / seconds)} rows/s` : '-'],
  ]
  const faults = status.faults.map((fault) => `<li>${escapeHtml(fault)}</li>`).join('')
  return (
    table('Summary', ['', ''], facts) +
    (faults === '' ? '' : `<p>Stats that cannot be used:</p><ul>${faults}</ul>`)
  )
}

function codesTable({ codes, status }: ReportData): string {
  const rows = codes.map(({ code, meaning, rows: count }) => [
    `<code>${escapeHtml(code)}</code>`,
    wholeNumber(count),
    percent(count, status.rows.done),
    escapeHtml(meaning),
  ])
  return rows.length === 0 ? '' : table('Rows by status', ['Status', 'Rows', 'Share', 'Meaning'], rows)
}

function hostsTable({ hosts, hostCount }: ReportData): string {
  if (hosts.length === 0) return ''
  const rows = hosts.map((host) => [
    escapeHtml(host.host || '(no host)'),
    wholeNumber(host.rows),
    percent(host.successes, host.rows),
    host.topFailure === null ? '' : `<code>${escapeHtml(host.topFailure)}</code>`,
  ])
  const caption = `The ${wholeNumber(hosts.length)} hosts with the most rows, of ${wholeNumber(hostCount)}`
  return table(caption, ['Host', 'Rows', 'Images', 'Most frequent failure'], rows)
}

function throughput({ throughput: { spanMs, points } }: ReportData): string {
  const seconds = spanMs / 1000
  const rows = points.map((point) => ({ label: timeLabel(point.atMs), value: point.rows / seconds }))
  const bytes = points.map((point) => ({ label: timeLabel(point.atMs), value: point.fetchedBytes / seconds }))
  return [
    lineChart(
      'Rows a second (UTC)',
      rows,
      (value) => `${value < 10 ? value.toFixed(1) : wholeNumber(value)}/s`,
    ),
    lineChart('Bytes a second (UTC)', bytes, (value) => `${formatSize(Math.round(value))}/s`),
  ].join('\n')
}

function timeLabel(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 19).replace('T', ' ')
}

function sheet(thumbnails: readonly Thumbnail[]): string {
  if (thumbnails.length === 0) return ''
  const items = thumbnails.map(({ key, caption, widthPx, heightPx, source }) => {
    const alt = escapeHtml((caption ?? '').slice(0, 200) || `Sample ${key}`)
    return `<li><img src="${source}" width="${widthPx}" height="${heightPx}" alt="${alt}"><span>${escapeHtml(key)}</span></li>`
  })
  return `<ul class="sheet">${items.join('\n')}</ul>`
}

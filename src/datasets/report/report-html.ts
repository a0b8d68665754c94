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
th, td { border-bottom: 1px solid var(--line); padding: 0.25rem 0 0.25rem 0.8rem; text-align: right; vertical-align: top; }
th:first-child { padding-left: 0; text-align: left; } .words { text-align: left; } code { overflow-wrap: normal; }
th[scope=row] { font-weight: 500; min-width: 6.5rem; overflow-wrap: anywhere; } th[scope=row] > code { white-space: nowrap; }
.bars th:first-child { width: 11rem; } .bars td:last-child, .bars th:last-child { width: 4.5rem; } .bars td:nth-child(2), .bars th:nth-child(2) { text-align: left; }
.bars caption, figcaption { color: var(--text); font-weight: 600; padding-top: 1rem; }
.bar { background: var(--mark); border-radius: 2px; display: inline-block; height: 0.8rem; margin-right: 0.5rem; vertical-align: -0.05rem; }
figure { margin: 0; } .most, .ends { color: var(--quiet); font-size: 0.85rem; margin: 0.2rem 0; } .ends { display: flex; flex-wrap: wrap; gap: 1rem; justify-content: space-between; }
svg { border-bottom: 1px solid var(--line); display: block; height: 150px; width: 100%; } svg polygon { fill: var(--mark); }
@media (max-width: 30rem) { body { font-size: 15px; } .bars th:first-child { width: 7rem; } }
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
${section('Refused by their owners', refusalsTable(data))}
${section(
  'Originals',
  [
    barChart('Shorter side', 'Pixels', data.sizes),
    barChart('Width to height', 'Ratio', data.ratios),
    barChart('Length of the files', 'Bytes', data.fileSizes),
    barChart('Formats', 'Format', data.formats),
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
    table('Summary', ['Fact', 'Value'], facts) +
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
  if (rows.length === 0) return ''
  return table('Rows by status', ['Status', 'Rows', 'Share', 'Meaning'], rows, { words: [3] })
}

function hostsTable({ hosts, hostCount }: ReportData): string {
  if (hosts.length === 0) return ''
  const rows = hosts.map((host) => [
    escapeHtml(host.host || '(no host)'),
    wholeNumber(host.rows),
    percent(host.successes, host.rows),
    host.topFailure === null ? '' : `<code>${escapeHtml(host.topFailure)}</code>`,
  ])
  const named = hosts.filter(({ host }) => host !== '').length
  const caption =
    named < hostCount
      ? `The ${wholeNumber(named)} hosts with the most rows, of ${wholeNumber(hostCount)}`
      : 'Rows by host'
  return table(caption, ['Host', 'Rows', 'Images', 'Most frequent failure'], rows, { words: [3] })
}

function refusalsTable({ refusals, refusalCount }: ReportData): string {
  if (refusals.length === 0) return ''
  const rows = refusals.map(({ host, reason, rows: count }) => [
    escapeHtml(host || '(no host)'),
    wholeNumber(count),
    escapeHtml(reason),
  ])
  const caption = `${wholeNumber(refusalCount)} rows that robots.txt or a header of the answer refuses; the most frequent`
  return table(caption, ['Host', 'Rows', 'By what'], rows, { words: [2] })
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

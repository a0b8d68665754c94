import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { load } from 'cheerio'
import { describe, expect, it } from 'vitest'
import { openShardPlan } from '../../../src/datasets/plan/index.ts'
import { reportHtml } from '../../../src/datasets/report/report-html.ts'
import { writeReport, type ReportData } from '../../../src/datasets/report/index.ts'
import type { SampleLayout } from '../../../src/datasets/samples/index.ts'
import { makeShards, planCase, storm } from '../shards/dataset-case.ts'

async function report(patch: Partial<SampleLayout>, shards?: readonly number[]) {
  const given = await planCase(patch)
  await makeShards(given, storm, shards)
  const plan = openShardPlan(given.out, given.manifest)
  const result = await writeReport({ out: given.out, plan, layout: given.layout, durability: 'none' })
  await plan.close()
  return { ...result, html: readFileSync(result.htmlPath, 'utf8'), out: given.out }
}

describe('writeReport', () => {
  it.each(['webdataset', 'parquet', 'files'] as const)(
    'counts and shows a dataset of %s',
    async (outputFormat) => {
      const { data, html, jsonPath, out } = await report({ outputFormat })
      expect(JSON.parse(readFileSync(jsonPath, 'utf8'))).toEqual(data)
      expect(data.codes).toMatchObject([
        { code: 'success', rows: 30 },
        { code: 'http_404', rows: 7 },
        { code: 'http_5xx', rows: 7 },
        { code: 'input_row', rows: 1, meaning: 'The row of the table cannot be parsed, or has no URL.' },
      ])
      expect(data.hostCount).toBe(4)
      expect(data.hosts[0]).toEqual({ host: 'h0.test', rows: 11, successes: 7, topFailure: 'http_404' })
      expect(data.hosts.reduce((sum, host) => sum + host.rows, 0)).toBe(45)
      for (const bins of [data.sizes, data.ratios, data.fileSizes, data.formats]) {
        expect(bins.reduce((sum, bin) => sum + bin.count, 0)).toBe(30)
      }
      expect(data.sizes).toEqual([
        { label: '256 to 511 px', count: 2 },
        { label: '512 to 1023 px', count: 28 },
      ])
      expect(data.throughput.points.reduce((sum, point) => sum + point.rows, 0)).toBe(45)
      expect(data.throughput.points.reduce((sum, point) => sum + point.fetchedBytes, 0)).toBe(22_500)
      expect(data.samples.length).toBeGreaterThan(2)
      expect(load(html)('ul.sheet img').length).toBe(data.samples.length)
      // All four are shown, and a row without a host.
      expect(html).toContain('Rows by host')
      expect(html).not.toContain('with the most rows')
      expect(existsSync(join(out, '.trawl', 'report.tmp'))).toBe(false)
    },
  )

  it('reports a dataset that is not finished, and one that has not begun', async () => {
    expect((await report({}, [1])).data.status.shards).toEqual({ planned: 3, committed: 1 })
    const { data, html } = await report({}, [])
    expect(data).toMatchObject({ hosts: [], samples: [], throughput: { points: [] } })
    expect(html).toContain('0 of 45')
  })
})

describe('reportHtml', () => {
  it('is one page that needs nothing else, with headed tables and named pictures', async () => {
    const { html } = await report({})
    const $ = load(html)
    expect($('script, link, iframe').length).toBe(0)
    expect(
      $('[src]')
        .toArray()
        .every((element) => ($(element).attr('src') ?? '').startsWith('data:image/jpeg;base64,')),
    ).toBe(true)
    expect(html).not.toMatch(/url\(|@import/)
    expect($('html').attr('lang')).toBe('en')
    expect(
      $('table')
        .toArray()
        .every((element) => $(element).find('caption').text() !== ''),
    ).toBe(true)
    expect($('th:not([scope])').length).toBe(0)
    expect($('svg:not([aria-label])').length).toBe(0)
    expect($('img:not([alt])').length).toBe(0)
    expect($('h1').length).toBe(1)
  })

  it('escapes what tables and servers say', async () => {
    const { data } = await report({}, [0])
    const evil = '"><script>alert(1)</script>'
    const spoiled: ReportData = {
      ...data,
      hosts: [{ host: evil, rows: 1, successes: 0, topFailure: evil }],
      codes: [{ code: evil, meaning: evil, rows: 1 }],
      formats: [{ label: evil, count: 1 }],
    }
    const thumbnail = { key: evil, caption: evil, widthPx: 1, heightPx: 1, source: 'data:image/jpeg;base64,' }
    const $ = load(reportHtml(evil, spoiled, [thumbnail]))
    expect($('script').length).toBe(0)
    expect($('img').attr('alt')).toBe(evil)
    expect($('h1').text()).toBe(evil)
  })
})

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import type { BookMetadata } from '../../../src/core/index.ts'
import { ComicPages, comicInfoXml, readComicInfo } from '../../../src/pack/cbz/index.ts'
import type { PackPage } from '../../../src/pack/index.ts'
import { describeWith } from '../../programs.ts'

const dir = mkdtempSync(join(tmpdir(), 'trawl-comic-'))
afterAll(() => rmSync(dir, { recursive: true }))
const schema = fileURLToPath(new URL('../fixtures/comic-info-2.1.xsd', import.meta.url))

const page = (index: number, more: Partial<PackPage> = {}): PackPage => ({
  path: '/nowhere',
  index,
  facts: {
    format: 'jpeg',
    widthPx: 800,
    heightPx: 1200,
    channels: 3,
    alpha: false,
    bitDepth: 8,
    orientation: 1,
    frames: 1,
    sizeBytes: 10,
  },
  ...more,
})

function pagesOf(list: readonly PackPage[]): ComicPages {
  const pages = new ComicPages()
  for (const [i, each] of list.entries()) pages.add(each, 1000 + i)
  return pages
}

const full: BookMetadata = {
  title: 'One <& more>',
  series: 'Series "S"',
  number: '10.5',
  volume: 2,
  authors: ['Öst, Ada', 'Bo'],
  artists: ['Cy'],
  translators: ['Di'],
  publisher: 'P & Q',
  language: 'pt-BR',
  direction: 'rtl',
  date: '1999-05-07',
  summary: 'Line one\nline two',
  tags: ['a', 'b c'],
  rights: 'CC BY',
  attribution: 'Museum',
  source: 'https://example.org/?a=1&b=2',
  identifier: 'urn:isbn:978-3-16-148410-0',
}

const valid = (metadata: BookMetadata, pages: ComicPages) => {
  const path = join(dir, 'ComicInfo.xml')
  writeFileSync(path, comicInfoXml(metadata, pages))
  execFileSync('xmllint', ['--noout', '--schema', schema, path], { stdio: 'pipe' })
}

describe('ComicInfo.xml', () => {
  it('says what is known of a book and its pages', () => {
    const wide = page(1)
    const xml = comicInfoXml(
      full,
      pagesOf([
        page(0, { chapters: [{ id: 'c1', title: 'Chapter "1"', depth: 0 }] }),
        { ...wide, facts: { ...wide.facts, orientation: 6 } },
        page(2, {
          placeholder: 'page 3 (iii): 404',
          label: 'iii',
          chapters: [{ id: 'c2', title: '', number: '2', depth: 0 }],
        }),
      ]),
    )
    expect(xml).toBe(`<?xml version="1.0" encoding="utf-8"?>
<ComicInfo xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <Title>One &lt;&amp; more&gt;</Title>
  <Series>Series &quot;S&quot;</Series>
  <Number>10.5</Number>
  <Volume>2</Volume>
  <Summary>Line one
line two</Summary>
  <Notes>Made with trawl.
CC BY
Museum
Missing: page 3 (iii): 404.</Notes>
  <Year>1999</Year>
  <Month>5</Month>
  <Day>7</Day>
  <Writer>Öst Ada, Bo</Writer>
  <Penciller>Cy</Penciller>
  <Translator>Di</Translator>
  <Publisher>P &amp; Q</Publisher>
  <Tags>a, b c</Tags>
  <Web>https://example.org/?a=1&amp;b=2</Web>
  <PageCount>3</PageCount>
  <LanguageISO>pt-BR</LanguageISO>
  <Manga>YesAndRightToLeft</Manga>
  <Pages>
    <Page Image="0" Type="FrontCover" ImageSize="1000" Bookmark="Chapter &quot;1&quot;" ImageWidth="800" ImageHeight="1200" />
    <Page Image="1" DoublePage="true" ImageSize="1001" ImageWidth="1200" ImageHeight="800" />
    <Page Image="2" ImageSize="1002" Bookmark="Chapter 2" ImageWidth="800" ImageHeight="1200" />
  </Pages>
  <GTIN>9783161484100</GTIN>
</ComicInfo>
`)
  })

  it('is read back', () => {
    const chapters = [{ id: 'x', title: 'Two', depth: 0 }]
    const { metadata, bookmarks } = readComicInfo(
      comicInfoXml(full, pagesOf([page(0), page(1, { chapters })])),
    )
    const { rights: _, attribution: __, ...kept } = full
    expect(metadata).toEqual({ ...kept, authors: ['Öst Ada', 'Bo'], identifier: '9783161484100' })
    expect([...bookmarks]).toEqual([[1, { id: 'bookmark-1', title: 'Two', depth: 0 }]])
  })

  it('that is broken says nothing, and does no harm', () => {
    for (const xml of ['', '<ComicInfo><Title>x</ComicInfo>', 'not xml', '<a>&b;</a>']) {
      expect(readComicInfo(xml)).toEqual({ metadata: {}, bookmarks: new Map() })
    }
  })
})

describeWith(['xmllint'], 'ComicInfo.xml against its schema', () => {
  it('is valid with everything and with nothing', () => {
    valid(full, pagesOf([page(0), page(1)]))
    valid({ title: '' }, pagesOf([page(0)]))
  })

  it('is valid with any text', () => {
    const text = fc.string({ unit: 'binary', maxLength: 20 })
    fc.assert(
      fc.property(text, text, text, fc.float(), (title, number, summary, volume) => {
        valid({ title, number, summary, volume, tags: [title] }, pagesOf([page(0)]))
      }),
      { numRuns: 20 },
    )
  })

  it('would not be valid in another order', () => {
    const path = join(dir, 'turned.xml')
    writeFileSync(path, '<ComicInfo><Number>1</Number><Title>a</Title></ComicInfo>')
    expect(() => execFileSync('xmllint', ['--noout', '--schema', schema, path], { stdio: 'pipe' })).toThrow()
  })
})

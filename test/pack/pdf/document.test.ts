import { execFileSync } from 'node:child_process'
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isTrawlError, type BookMetadata } from '../../../src/core/index.ts'
import { createPackWriter, openPack, type PackPage } from '../../../src/pack/index.ts'
import { PdfWriter } from '../../../src/pack/pdf/pdf-writer.ts'
import { nameOf } from '../../../src/pack/pdf/read/pdf-object.ts'
import { verifyPdf } from '../../../src/pack/pdf/verify-pdf.ts'
import { describeWith } from '../../programs.ts'
import { jpegPages } from '../sample-pages.ts'
import { inspectPdf, readPages, writePdf } from './pdf-file.ts'

const dir = mkdtempSync(join(tmpdir(), 'trawl-pdf-'))
afterAll(() => rmSync(dir, { recursive: true }))
const path = join(dir, 'book.pdf')
let pages: PackPage[] = []
beforeAll(async () => {
  pages = await jpegPages(dir, 5)
})
const many = (count: number, more: (index: number) => Partial<PackPage> = () => ({})): PackPage[] =>
  Array.from({ length: count }, (_, index): PackPage => {
    const page = pages[index % pages.length]
    if (!page) throw new Error('no pages')
    return { ...page, ...more(index) }
  })

const chapter = (id: string, depth: number) => ({ id, title: `Chapter ${id}`, depth })

const damage = async (change: (bytes: Buffer) => Buffer, pageCount = 5) => {
  await writePdf(path, pages)
  const bytes = change(readFileSync(path))
  writeFileSync(path, bytes)
  verifyPdf(openSync(path, 'r'), { path, sizeBytes: bytes.length, pages: pageCount })
}
const at = (bytes: Buffer, text: string, by: string) => {
  bytes.write(by, bytes.lastIndexOf(text), 'latin1')
  return bytes
}

const withContent = (content: string) => {
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Count 1 /Kids [3 0 R] >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Resources << >> /Contents 4 0 R >>',
    `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
  ]
  let out = '%PDF-1.4\n'
  const offsets = objects.map((body, i) => {
    const at = out.length
    out += `${i + 1} 0 obj\n${body}\nendobj\n`
    return at
  })
  const start = out.length
  out += `xref\n0 5\n0000000000 65535 f \n${offsets.map((at) => `${String(at).padStart(10, '0')} 00000 n \n`).join('')}`
  writeFileSync(path, `${out}trailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n${start}\n%%EOF\n`)
}

const metadata: BookMetadata = {
  title: 'Käse (und \\ Brot) <日本語>',
  authors: ['Ada Öst', 'Bo'],
  artists: ['Cy', 'Bo'],
  summary: 'Line one\nline "two" & so on',
  tags: ['one', 'zwei & drei'],
  language: 'de-CH',
  direction: 'rtl',
  date: '1999-05',
  rights: 'CC BY 4.0',
  attribution: 'Museum',
  source: 'https://example.org/a?b=1&c=2',
}

describe('pages of a PDF', () => {
  it.each([1, 63, 64, 65, 128, 129, 4097])('%i of them hang in a balanced tree, in order', async (count) => {
    const digest = { algorithm: 'md5', value: '0'.repeat(32) } as const
    await writePdf(
      path,
      many(count, (index) => ({ label: `p${index + 1}`, ...(count > 200 ? { digest } : {}) })),
    )
    const labels: (string | undefined)[] = []
    const reader = await openPack(path)
    for await (const page of reader.pages()) labels.push(page.label)
    await reader.close()
    expect(labels).toEqual(Array.from({ length: count }, (_, i) => `p${i + 1}`))
    inspectPdf(path, (document) => {
      const root = document.dict(document.dict(document.trailer.get('Root')).get('Pages'))
      expect(root.get('Count')).toBe(count)
      const kids = document.resolve(root.get('Kids'))
      expect(Array.isArray(kids) && kids.length).toBeLessThanOrEqual(64)
    })
  })

  it('keep any labels', async () => {
    const label = fc.oneof(
      fc.constant(undefined),
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }),
      fc.nat(300).map(String),
      fc.constantFrom('i', 'ii', 'iii', 'iv', 'V', 'VI', '[cover]', '001', '002', 'A-9', 'A-10'),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(label, { minLength: 1, maxLength: 20 }), async (labels) => {
        await writePdf(
          path,
          many(labels.length, (index) => {
            const given = labels[index]
            return given === undefined ? {} : { label: given }
          }),
        )
        const expected = labels.every((given) => given === undefined)
          ? labels
          : labels.map((given, i) => (given ?? String(i + 1)).toWellFormed())
        expect((await readPages(path)).map((page) => page.label)).toEqual(expected)
      }),
      { numRuns: 25 },
    )
  })
})

describe('what a PDF says of its book', () => {
  it('is read back', async () => {
    await writePdf(path, pages, { metadata })
    const reader = await openPack(path)
    expect(reader.metadata).toEqual({
      title: metadata.title,
      authors: ['Ada Öst', 'Bo', 'Cy'],
      summary: metadata.summary,
      tags: metadata.tags,
      language: 'de-CH',
      direction: 'rtl',
    })
    await reader.close()
  })

  it('has chapters nested by their depth, and opens with them', async () => {
    await writePdf(
      path,
      many(6, (index) => {
        const begin = {
          0: [chapter('1', 0), chapter('1.1', 1)],
          2: [chapter('1.2', 1)],
          4: [chapter('2', 0)],
        }[index]
        return begin ? { chapters: begin } : {}
      }),
    )
    const found = (await readPages(path)).flatMap((page, i) =>
      (page.chapters ?? []).map(({ title, depth }) => [i, title, depth]),
    )
    expect(found).toEqual([
      [0, 'Chapter 1', 0],
      [0, 'Chapter 1.1', 1],
      [2, 'Chapter 1.2', 1],
      [4, 'Chapter 2', 0],
    ])
    inspectPdf(path, (document) => {
      const catalog = document.dict(document.trailer.get('Root'))
      expect(nameOf(catalog.get('PageMode'))).toBe('UseOutlines')
      const outlines = document.dict(catalog.get('Outlines'))
      expect(outlines.get('Count')).toBe(2)
      expect(document.dict(outlines.get('First')).get('Count')).toBe(-2)
    })
  })

  it('tells the direction of reading', async () => {
    const layouts = {
      ltr: ['SinglePage', undefined],
      rtl: ['TwoPageRight', 'R2L'],
      ttb: ['OneColumn', undefined],
    }
    for (const direction of ['ltr', 'rtl', 'ttb'] as const) {
      await writePdf(path, pages, { metadata: { title: 'A', direction } })
      inspectPdf(path, (document) => {
        const catalog = document.dict(document.trailer.get('Root'))
        const viewer = document.dict(catalog.get('ViewerPreferences'))
        expect([nameOf(catalog.get('PageLayout')), nameOf(viewer.get('Direction'))]).toEqual(
          layouts[direction],
        )
      })
    }
  })

  it('has the time of making only where one is given, else the date of the book', async () => {
    const dateOf = () =>
      inspectPdf(path, (document) =>
        document.text(document.dict(document.trailer.get('Info')).get('CreationDate')),
      )
    await writePdf(path, pages)
    expect(dateOf()).toBeUndefined()
    await writePdf(path, pages, { metadata })
    expect(dateOf()).toBe('D:199905')
    await writePdf(path, pages, { metadata, timeMs: Date.UTC(2001, 1, 3, 4, 5, 6) })
    expect(dateOf()).toBe('D:20010203040506Z')
  })

  it('has an identity of its content', async () => {
    const idOf = () => /\/ID \[<([0-9a-f]+)>/.exec(readFileSync(path, 'latin1'))?.[1]
    await writePdf(path, pages)
    const first = idOf()
    await writePdf(path, pages)
    expect(idOf()).toBe(first)
    await writePdf(path, [...pages].reverse())
    expect(idOf()).not.toBe(first)
  })
})

describe('a PDF above the limit of classic tables', () => {
  it('has a cross-reference stream', async () => {
    const writer = new PdfWriter({ path, replace: true, xrefStreamAboveBytes: 1000 })
    for (const [index, page] of pages.entries()) await writer.add({ ...page, index })
    await writer.finish(metadata)
    expect(readFileSync(path, 'latin1')).toContain('/Type /XRef')
    expect(readFileSync(path, 'latin1')).not.toContain('\nxref\n')
    expect(await readPages(path)).toHaveLength(5)
  })
})

describe('an encrypted PDF', () => {
  it('opens with its password and no other', async () => {
    await writePdf(path, pages, { metadata, password: 'Grüße ﬁ' })
    expect(readFileSync(path).includes(readFileSync(pages[0]?.path ?? ''))).toBe(false)
    expect(readFileSync(path, 'latin1')).not.toContain('Museum')
    await expect(openPack(path)).rejects.toMatchObject({ code: 'ERR_PACK_PASSWORD' })
    await expect(openPack(path, { password: 'Grüsse' })).rejects.toMatchObject({ code: 'ERR_PACK_PASSWORD' })
    const found = await readPages(path, 'Grüße ﬁ')
    expect(found.map((page) => page.bytes)).toEqual(pages.map((page) => readFileSync(page.path)))
    const reader = await openPack(path, { password: 'Grüße ﬁ' })
    expect(reader.metadata.title).toBe(metadata.title)
    await reader.close()
  })

  it('is no PDF/A', () => {
    expect(() => createPackWriter('pdf', { path, password: 'x', pdfA: true })).toThrow(
      expect.objectContaining({ code: 'ERR_PACK_OPTIONS' }),
    )
  })
})

describe('PDF/A', () => {
  it('names itself in its XMP, and says what its colours mean', async () => {
    await writePdf(path, pages, { metadata, pdfA: true })
    const text = readFileSync(path, 'utf8')
    expect(text).toContain('<pdfaid:part>2</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>')
    inspectPdf(path, (document) => {
      const catalog = document.dict(document.trailer.get('Root'))
      const intents = document.resolve(catalog.get('OutputIntents'))
      const intent = document.dict(Array.isArray(intents) ? intents[0] : undefined)
      expect(nameOf(intent.get('S'))).toBe('GTS_PDFA1')
      const profile = document.stream(intent.get('DestOutputProfile'))
      expect(profile && document.raw(profile).toString('latin1', 36, 40)).toBe('acsp')
    })
  })
})

describe('reading back', () => {
  it('passes what is whole', async () => {
    await expect(damage((bytes) => bytes)).resolves.toBeUndefined()
  })

  it.each<[string, (bytes: Buffer) => Buffer, number]>([
    ['a cut file', (bytes) => bytes.subarray(0, -200), 5],
    ['an offset that leads elsewhere', (bytes) => at(bytes, ' 00000 n \ntrailer', '9'), 5],
    ['a stream of another length', (bytes) => at(bytes, '\nendstream', 'xendstream'), 5],
    ['a page less', (bytes) => at(bytes, '/Type /Page /', '/Type /Paxx /'), 5],
    ['a page too many', (bytes) => bytes, 4],
    ['a wrong count', (bytes) => at(bytes, '/Count 5', '/Count 6'), 5],
  ])('finds %s', async (_, change, count) => {
    await expect(damage(change, count)).rejects.toMatchObject({ code: 'ERR_PACK_READBACK' })
  })

  it('never fails in another way than with an error of ours', async () => {
    await writePdf(path, pages, { metadata })
    const sound = readFileSync(path)
    const broken = join(dir, 'broken.pdf')
    const hits = fc.array(fc.tuple(fc.nat(sound.length - 1), fc.nat(255)), { minLength: 1, maxLength: 30 })
    await fc.assert(
      fc.asyncProperty(hits, fc.integer({ min: 1, max: sound.length }), async (changes, length) => {
        const bytes = Buffer.from(sound.subarray(0, length > sound.length / 2 ? sound.length : length))
        for (const [place, value] of changes) if (place < bytes.length) bytes[place] = value
        writeFileSync(broken, bytes)
        try {
          await readPages(broken)
        } catch (error) {
          if (!isTrawlError(error)) throw error
        }
      }),
      { numRuns: 150 },
    )
  })
})

describeWith(['qpdf', 'pdfinfo'], 'PDFs checked by other programs', () => {
  it.each([
    ['plain', {}],
    ['PDF/A', { pdfA: true }],
  ])('%s: qpdf finds nothing wrong', async (_, options) => {
    await writePdf(
      path,
      many(70, (index) =>
        index % 10 === 0 ? { chapters: [{ id: String(index), title: 'C', depth: 0 }] } : {},
      ),
      {
        metadata,
        ...options,
      },
    )
    const out = execFileSync('qpdf', ['--check', path], { encoding: 'utf8', stdio: 'pipe' })
    expect(out).toContain('No syntax or stream encoding errors')
    const info = execFileSync('pdfinfo', [path], { encoding: 'utf8' })
    expect(info).toContain(`Title:           ${metadata.title}`)
    expect(info).toMatch(/Pages: +70\n/)
  })

  it('encrypted: qpdf opens it with the password and finds AES-256', async () => {
    await writePdf(path, pages, { metadata, password: 'Grüße' })
    const out = execFileSync('qpdf', ['--check', '--password=Grüße', path], {
      encoding: 'utf8',
      stdio: 'pipe',
    })
    expect(out).toContain('No syntax or stream encoding errors')
    expect(out).toContain('file encryption method: AESv3')
    expect(() => execFileSync('qpdf', ['--check', path], { stdio: 'pipe' })).toThrow('invalid password')
    const plain = join(dir, 'plain.pdf')
    execFileSync('qpdf', ['--password=Grüße', '--decrypt', path, plain])
    expect((await readPages(plain)).map((page) => page.bytes)).toEqual(
      pages.map((page) => readFileSync(page.path)),
    )
  })

  it('with a cross-reference stream: qpdf finds nothing wrong', async () => {
    const writer = new PdfWriter({ path, replace: true, xrefStreamAboveBytes: 0 })
    for (const [index, page] of pages.entries()) await writer.add({ ...page, index })
    await writer.finish(metadata)
    const out = execFileSync('qpdf', ['--check', path], { encoding: 'utf8', stdio: 'pipe' })
    expect(out).toContain('No syntax or stream encoding errors')
  })
})

describeWith(['qpdf'], 'PDFs that qpdf rewrote', () => {
  it.each([['--object-streams=generate'], ['--linearize'], ['--qdf']])(
    '%s are read like ours',
    async (how) => {
      await writePdf(path, pages, { metadata })
      const other = join(dir, 'other.pdf')
      execFileSync('qpdf', [how, path, other])
      const found = await readPages(other)
      expect(found.map((page) => page.bytes)).toEqual(pages.map((page) => readFileSync(page.path)))
    },
  )

  it('encrypted are read like ours', async () => {
    await writePdf(path, pages, { metadata })
    const other = join(dir, 'other.pdf')
    execFileSync('qpdf', [
      '--object-streams=generate',
      '--encrypt',
      'user',
      'owner',
      '256',
      '--',
      path,
      other,
    ])
    for (const password of ['user', 'owner']) {
      expect((await readPages(other, password)).map((page) => page.bytes)).toEqual(
        pages.map((page) => readFileSync(page.path)),
      )
      const reader = await openPack(other, { password })
      expect(reader.metadata.title).toBe(metadata.title)
      await reader.close()
    }
  })
})

describeWith(['img2pdf'], 'PDFs of img2pdf', () => {
  it('are read page by page', async () => {
    const other = join(dir, 'other.pdf')
    execFileSync('img2pdf', ['-o', other, ...pages.map((page) => page.path)])
    expect((await readPages(other)).map((page) => page.bytes)).toEqual(
      pages.map((page) => readFileSync(page.path)),
    )
  })
})

describe('PDFs that are more than images', () => {
  it.each(['BT /F1 9 Tf (text) Tj ET', '0 0 5 5 re f', '0 0 m 5 5 l S'])(
    'are refused: %s',
    async (content) => {
      withContent(content)
      await expect(readPages(path)).rejects.toMatchObject({ code: 'ERR_PACK_UNSUPPORTED' })
    },
  )

  it('but invisible text, as of recognised scans, does not matter', async () => {
    withContent('q 3 Tr BT /F1 9 Tf (text) Tj ET 0 0 9 9 re W n Q')
    expect(await readPages(path)).toEqual([])
  })
})

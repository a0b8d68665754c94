import { createHash, type Hash } from 'node:crypto'
import type { BookMetadata } from '../../core/index.ts'
import { createWindow, openImageFile } from '../image-bytes/index.ts'
import type { PackOptions } from '../pack-options.ts'
import type { PackedFile, PackedPage, PackPage, PackProperties, PackWriter } from '../pack-writer.ts'
import { PartFile } from '../part-file/index.ts'
import { infoDictionary, xmpPacket } from './document-info.ts'
import { planImage } from './embed/plan-image.ts'
import type { EmbedOptions } from './embed/image-plan.ts'
import { allPermissions, createPdfCipher, type PdfCipher } from './encryption.ts'
import { srgbProfile } from './icc-profile.ts'
import { ImageObjects, type EmbeddedImage } from './image-objects.ts'
import { ObjectFile } from './object-file.ts'
import { Outline } from './outline.ts'
import {
  naturalWidthPt,
  pageGeometry,
  type GeometryInput,
  type PageGeometry,
  type PageSize,
} from './page-geometry.ts'
import { PageLabels } from './page-labels.ts'
import { PageTree } from './page-tree.ts'
import { pdfHex, pdfNumber, pdfRef } from './pdf-syntax.ts'
import type { PdfOptions } from './pdf-options.ts'
import { verifyPdf } from './verify-pdf.ts'

const properties: PackProperties = {
  format: 'pdf',
  extension: '.pdf',
  verbatim: ['jpeg', 'jp2'],
  encrypts: true,
  holdsPages: false,
}
/** Content streams that are remembered to be used again by pages of the same size. */
const maxSharedContents = 256

/**
 * Streams pages into a PDF 1.7 (ISO 32000-1). In memory: offsets and ids, chapters, ranges of labels, one profile
 * each. Throws ERR_PACK_*, ERR_IMAGE_* and storage errors.
 */
export class PdfWriter implements PackWriter {
  readonly properties = properties
  readonly #options: PdfOptions
  readonly #embed: EmbedOptions
  readonly #part: PartFile
  readonly #objects: ObjectFile
  readonly #images: ImageObjects
  readonly #tree: PageTree
  readonly #cipher: PdfCipher | undefined
  readonly #labels = new PageLabels()
  readonly #outline = new Outline()
  readonly #contents = new Map<string, number>()
  readonly #window = createWindow()
  readonly #identity: Hash = createHash('sha256')
  #pages = 0

  constructor(options: PdfOptions) {
    this.#options = options
    this.#embed = {
      pdfA: options.pdfA === true,
      recode: options.recode ?? 'auto',
      jpegQuality: options.jpegQuality ?? 92,
      flatten: options.flatten === true,
    }
    this.#cipher = options.password === undefined ? undefined : createPdfCipher(options.password)
    this.#part = new PartFile(options)
    this.#objects = new ObjectFile(this.#part, this.#cipher)
    this.#images = new ImageObjects(this.#objects)
    this.#tree = new PageTree(this.#objects)
  }

  async add(page: PackPage): Promise<PackedPage> {
    const image = this.#images.known(page.digest?.value) ?? (await this.#embedImage(page))
    const { pageSize = naturalSize, defaultDpi = 150 } = this.#options
    const geometry = pageGeometry(geometryInput(page, image), pageSize, defaultDpi)
    const id = await this.#writePage(image, geometry)
    this.#labels.add(page.label)
    for (const chapter of page.chapters ?? []) this.#outline.add(chapter, id)
    this.#identity.update(`${image.crc} ${image.plainBytes} ${geometry.matrix} ${page.label ?? ''}\n`)
    this.#pages++
    return {
      offset: image.offset,
      length: image.length,
      verbatim: image.verbatim && this.#cipher === undefined,
    }
  }

  async finish(metadata: BookMetadata): Promise<PackedFile> {
    await this.#writeEnd(metadata)
    const sizeBytes = await this.#part.flush()
    verifyPdf(this.#part.fd, { path: this.#options.path, sizeBytes, pages: this.#pages })
    await this.#part.commit()
    return { path: this.#options.path, sizeBytes }
  }

  abort(): Promise<void> {
    return this.#part.abort()
  }

  async #embedImage(page: PackPage): Promise<EmbeddedImage> {
    const file = openImageFile(page.path, this.#window)
    try {
      const plan = await planImage(page.path, file, page.facts.format, this.#embed)
      return await this.#images.write(plan, page.digest?.value)
    } finally {
      file.close()
    }
  }

  async #writePage(image: EmbeddedImage, geometry: PageGeometry): Promise<number> {
    const parent = await this.#tree.parent()
    const contents = await this.#content(geometry)
    const id = this.#objects.allocate()
    const box = `/MediaBox [0 0 ${pdfNumber(geometry.width)} ${pdfNumber(geometry.height)}]`
    const unit = geometry.userUnit === 1 ? '' : ` /UserUnit ${pdfNumber(geometry.userUnit)}`
    const resources = `/Resources << /XObject << /Im0 ${pdfRef(image.id)} >> >>`
    await this.#objects.write(
      id,
      `<< /Type /Page /Parent ${pdfRef(parent)} ${box}${unit} ${resources} /Contents ${pdfRef(contents)} >>`,
    )
    this.#tree.add(id)
    return id
  }

  /** The content stream: the image, placed. Pages of the same size share one. */
  async #content(geometry: PageGeometry): Promise<number> {
    const known = this.#contents.get(geometry.matrix)
    if (known !== undefined) return known
    const id = this.#objects.allocate()
    await this.#objects.writeStream(id, '', [Buffer.from(`q\n${geometry.matrix} cm\n/Im0 Do\nQ`, 'latin1')])
    if (this.#contents.size < maxSharedContents) this.#contents.set(geometry.matrix, id)
    return id
  }

  async #writeEnd(metadata: BookMetadata): Promise<void> {
    const objects = this.#objects
    const text = (value: string) => objects.text(value)
    const pages = await this.#tree.finish()
    const info = {
      metadata,
      pdfA: this.#embed.pdfA,
      ...(this.#options.timeMs === undefined ? {} : { timeMs: this.#options.timeMs }),
    }
    const outline = await this.#outline.write(objects)
    const labels = this.#labels.toObject(text)
    const xmp = objects.allocate()
    await objects.writeStream(xmp, '/Type /Metadata /Subtype /XML', [xmpPacket(info)])
    const catalog = [
      `/Type /Catalog /Pages ${pdfRef(pages)} /Metadata ${pdfRef(xmp)}`,
      outline === undefined ? '' : `/Outlines ${pdfRef(outline)} /PageMode /UseOutlines`,
      labels === undefined ? '' : `/PageLabels ${pdfRef(await this.#object(labels))}`,
      viewing(metadata),
      metadata.language === undefined ? '' : `/Lang ${text(metadata.language)}`,
      this.#embed.pdfA ? await this.#outputIntent() : '',
      this.#cipher ? '/Extensions << /ADBE << /BaseVersion /1.7 /ExtensionLevel 8 >> >>' : '',
    ]
    const root = await this.#object(`<< ${catalog.filter((part) => part !== '').join(' ')} >>`)
    const infoId = await this.#object(infoDictionary(info, text))
    const encrypt = this.#cipher
      ? ` /Encrypt ${pdfRef(await this.#object(encryptDictionary(this.#cipher)))}`
      : ''
    const fileId = pdfHex(this.#identity.update(JSON.stringify(info)).digest().subarray(0, 16))
    await objects.end(
      `/Root ${pdfRef(root)} /Info ${pdfRef(infoId)} /ID [${fileId} ${fileId}]${encrypt}`,
      this.#options.xrefStreamAboveBytes,
    )
  }

  async #object(body: string): Promise<number> {
    const id = this.#objects.allocate()
    await this.#objects.write(id, body)
    return id
  }

  /** Tells what device colours mean, as PDF/A asks (ISO 19005-2, 6.2.3). */
  async #outputIntent(): Promise<string> {
    const profile = this.#objects.allocate()
    await this.#objects.writeStream(profile, '/N 3', [srgbProfile()])
    const identifier = this.#objects.text('sRGB IEC61966-2.1')
    const intent = `/Type /OutputIntent /S /GTS_PDFA1 /OutputConditionIdentifier ${identifier} /Info ${identifier}`
    return `/OutputIntents [<< ${intent} /DestOutputProfile ${pdfRef(profile)} >>]`
  }
}

const naturalSize: PageSize = { mode: 'natural' }

/** Width that a page has in its own size, in points, as the PDF writer would choose it. */
export function pageWidthPt(
  page: Pick<PackPage, 'facts' | 'dpi'>,
  options: Pick<PackOptions, 'pageSize' | 'defaultDpi'> = {},
): number {
  return naturalWidthPt(
    geometryInput(page, page.facts),
    options.pageSize ?? naturalSize,
    options.defaultDpi ?? 150,
  )
}

function geometryInput(
  page: Pick<PackPage, 'facts' | 'dpi'>,
  size: { readonly widthPx: number; readonly heightPx: number },
): GeometryInput {
  return {
    widthPx: size.widthPx,
    heightPx: size.heightPx,
    orientation: page.facts.orientation,
    ...(page.facts.dpi === undefined ? {} : { imageDpi: page.facts.dpi }),
    ...(page.dpi === undefined ? {} : { sourceDpi: page.dpi }),
  }
}

/** How a reader opens the document, by the direction of the book. */
function viewing(metadata: BookMetadata): string {
  const right = metadata.direction === 'rtl' ? ' /Direction /R2L' : ''
  const layout = { ltr: '/SinglePage', rtl: '/TwoPageRight', ttb: '/OneColumn' }[metadata.direction ?? 'ltr']
  return `/PageLayout ${layout} /ViewerPreferences << /DisplayDocTitle true${right} >>`
}

/** The standard security handler, revision 6 (ISO 32000-2, 7.6.4). */
function encryptDictionary(cipher: PdfCipher): string {
  const { record } = cipher
  const filter = '/CF << /StdCF << /CFM /AESV3 /AuthEvent /DocOpen /Length 32 >> >> /StmF /StdCF /StrF /StdCF'
  const checks = `/U ${pdfHex(record.u)} /UE ${pdfHex(record.ue)} /O ${pdfHex(record.o)} /OE ${pdfHex(record.oe)}`
  const rights = `/P ${allPermissions} /Perms ${pdfHex(record.perms)} /EncryptMetadata true`
  return `<< /Filter /Standard /V 5 /R 6 /Length 256 ${filter} ${checks} ${rights} >>`
}

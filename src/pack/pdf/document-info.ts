import type { BookMetadata } from '../../core/index.ts'
import { parseBookDate } from '../book-date.ts'
import { xmlText } from '../xml/index.ts'

/** What both the information dictionary and the XMP packet say of a document. */
export interface DocumentInfo {
  readonly metadata: BookMetadata
  /** When the document was made, in milliseconds since 1970; without it the date of the book is taken. */
  readonly timeMs?: number
  readonly pdfA: boolean
}

/** The program that is named as creator and producer. */
const tool = 'trawl'

/** The information dictionary (ISO 32000-1, 14.3.3). `text` makes a string object. */
export function infoDictionary(info: DocumentInfo, text: (value: string) => string): string {
  const { metadata } = info
  const date = pdfDate(info)
  const fields: readonly (readonly [string, string | undefined])[] = [
    ['Title', metadata.title],
    ['Author', creators(metadata).join('; ')],
    ['Subject', metadata.summary],
    ['Keywords', metadata.tags?.join(', ')],
    ['Creator', tool],
    ['Producer', tool],
    ['CreationDate', date],
    ['ModDate', date],
  ]
  const entries = fields.flatMap(([key, value]) =>
    value === undefined || value === '' ? [] : [`/${key} ${text(value)}`],
  )
  return `<< ${entries.join(' ')} >>`
}

/** The XMP packet (ISO 16684-1), with the PDF/A identification where asked. Only properties of the standard schemas. */
export function xmpPacket(info: DocumentInfo): Buffer {
  const { metadata } = info
  const date = isoDate(info)
  const properties = [
    info.pdfA ? '<pdfaid:part>2</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>' : '',
    simple('dc:format', 'application/pdf'),
    alternatives('dc:title', metadata.title),
    list('dc:creator', 'Seq', creators(metadata)),
    list('dc:contributor', 'Bag', metadata.translators),
    alternatives('dc:description', metadata.summary),
    list('dc:subject', 'Bag', metadata.tags),
    list('dc:publisher', 'Bag', metadata.publisher === undefined ? [] : [metadata.publisher]),
    list('dc:language', 'Bag', metadata.language === undefined ? [] : [metadata.language]),
    list(
      'dc:date',
      'Seq',
      parseBookDate(metadata.date) && metadata.date !== undefined ? [metadata.date] : [],
    ),
    alternatives('dc:rights', rightsText(metadata)),
    simple('dc:source', metadata.source),
    simple('dc:identifier', metadata.identifier),
    simple('pdf:Keywords', metadata.tags?.join(', ')),
    simple('pdf:Producer', tool),
    simple('xmp:CreatorTool', tool),
    simple('xmp:CreateDate', date),
    simple('xmp:ModifyDate', date),
  ].filter((property) => property !== '')
  return Buffer.from(
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n' +
      '<x:xmpmeta xmlns:x="adobe:ns:meta/">\n' +
      '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n' +
      '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"' +
      ' xmlns:pdf="http://ns.adobe.com/pdf/1.3/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"' +
      ' xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/">\n' +
      `${properties.join('\n')}\n` +
      '</rdf:Description>\n</rdf:RDF>\n</x:xmpmeta>\n<?xpacket end="r"?>\n',
  )
}

/** Authors, then artists that are not among them. */
function creators(metadata: BookMetadata): string[] {
  return [...new Set([...(metadata.authors ?? []), ...(metadata.artists ?? [])])]
}

/** What the source says of rights, and whom it wants named. */
function rightsText(metadata: BookMetadata): string | undefined {
  const parts = [metadata.rights, metadata.attribution].filter((part) => part !== undefined && part !== '')
  return parts.length === 0 ? undefined : [...new Set(parts)].join('\n')
}

function simple(name: string, value: string | undefined): string {
  return value === undefined || value === '' ? '' : `<${name}>${xmlText(value)}</${name}>`
}

function alternatives(name: string, value: string | undefined): string {
  if (value === undefined || value === '') return ''
  return `<${name}><rdf:Alt><rdf:li xml:lang="x-default">${xmlText(value)}</rdf:li></rdf:Alt></${name}>`
}

function list(name: string, kind: 'Seq' | 'Bag', values: readonly string[] | undefined): string {
  if (!values || values.length === 0) return ''
  const items = values.map((value) => `<rdf:li>${xmlText(value)}</rdf:li>`).join('')
  return `<${name}><rdf:${kind}>${items}</rdf:${kind}></${name}>`
}

/** `D:19990507000000Z` (7.9.4); a date of the book goes as far as it is known. */
function pdfDate(info: DocumentInfo): string | undefined {
  if (info.timeMs !== undefined) {
    return `D:${new Date(info.timeMs).toISOString().slice(0, 19).replaceAll(/[-T:]/g, '')}Z`
  }
  const date = parseBookDate(info.metadata.date)
  return date && `D:${[digits(date.year, 4), digits(date.month, 2), digits(date.day, 2)].join('')}`
}

function isoDate(info: DocumentInfo): string | undefined {
  if (info.timeMs !== undefined) return `${new Date(info.timeMs).toISOString().slice(0, 19)}Z`
  const date = parseBookDate(info.metadata.date)
  if (!date) return undefined
  return [digits(date.year, 4), digits(date.month, 2), digits(date.day, 2)]
    .filter((part) => part !== '')
    .join('-')
}

function digits(value: number | undefined, width: number): string {
  return value === undefined ? '' : String(value).padStart(width, '0')
}

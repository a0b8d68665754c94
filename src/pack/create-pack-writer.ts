import { TrawlError } from '../core/index.ts'
import { EpubWriter } from './epub/index.ts'
import { FolderWriter } from './folder/index.ts'
import { LongWriter } from './long/index.ts'
import { OrderedWriter } from './ordered-writer.ts'
import type { PackFormat, PackOptions } from './pack-options.ts'
import type { PackWriter } from './pack-writer.ts'
import { PdfWriter } from './pdf/index.ts'
import { ZipPackWriter } from './zip/index.ts'

/**
 * A writer for one container. Throws at once: ERR_PACK_OPTIONS for a password with PDF/A, ERR_PACK_UNSUPPORTED for a
 * password on a format that cannot encrypt, ERR_CONFIG_INVALID for sizes that are no sizes, ERR_EXISTS where
 * something stands under the name, and other storage errors.
 */
export function createPackWriter(format: PackFormat, options: PackOptions): PackWriter {
  checkPackOptions(format, options)
  return new OrderedWriter(openWriter(format, options), options.path)
}

/** Checks what can be checked before anything is opened; throws as `createPackWriter` does. */
export function checkPackOptions(format: PackFormat, options: Omit<PackOptions, 'path'>): void {
  if (options.password !== undefined) {
    if (options.pdfA === true && format === 'pdf') {
      throw new TrawlError(
        'ERR_PACK_OPTIONS',
        'PDF/A may not be encrypted: a password and PDF/A exclude each other',
      )
    }
    if (format !== 'pdf' && format !== 'zip') {
      throw new TrawlError('ERR_PACK_UNSUPPORTED', `${format} cannot be encrypted with a password`, {
        hint: 'Choose pdf or zip, or leave the password out.',
      })
    }
    if (options.password === '') throw new TrawlError('ERR_PACK_PASSWORD', 'the password is empty')
  }
  const { pageSize, defaultDpi, jpegQuality } = options
  if (pageSize?.mode === 'dpi') checkNumber('pageSize.dpi', pageSize.dpi, 100_000)
  if (pageSize?.mode === 'fit-width') checkNumber('pageSize.widthPt', pageSize.widthPt, 14_400)
  if (pageSize?.mode === 'sheet') {
    checkNumber('pageSize.widthPt', pageSize.widthPt, 14_400)
    checkNumber('pageSize.heightPt', pageSize.heightPt, 14_400)
  }
  if (defaultDpi !== undefined) checkNumber('defaultDpi', defaultDpi, 100_000)
  if (jpegQuality !== undefined) checkNumber('jpegQuality', jpegQuality, 100)
}

function checkNumber(field: string, value: number, most: number): void {
  if (value > 0 && value <= most) return
  throw new TrawlError(
    'ERR_CONFIG_INVALID',
    `${field} is ${value}, and must be above 0 and at most ${most}`,
    {
      context: { field },
    },
  )
}

function openWriter(format: PackFormat, options: PackOptions): PackWriter {
  if (format === 'pdf') return new PdfWriter(options)
  if (format === 'epub') return new EpubWriter(options)
  if (format === 'folder') return new FolderWriter(options)
  return format === 'long' ? new LongWriter(options) : new ZipPackWriter(format, options)
}

import { positiveOf, type JsonObject } from '../json.ts'
import type { ReadText } from './language.ts'
import type { IiifCanvas } from './model.ts'
import { idOf } from './painting.ts'
import { dpiOf } from './services.ts'

/** What a canvas tells in the same words in versions 2 and 3; `manifestDpi` holds where it has no measure of its own. */
export function canvasFacts(
  canvas: JsonObject,
  read: ReadText,
  manifestDpi: number | undefined,
): Omit<IiifCanvas, 'content'> {
  const label = read(canvas['label'])
  const widthPx = positiveOf(canvas['width'])
  const heightPx = positiveOf(canvas['height'])
  const dpi = dpiOf(canvas['service']) ?? manifestDpi
  return {
    id: idOf(canvas) ?? '',
    ...(label === undefined ? {} : { label }),
    ...(widthPx === undefined ? {} : { widthPx }),
    ...(heightPx === undefined ? {} : { heightPx }),
    ...(dpi === undefined ? {} : { dpi }),
  }
}

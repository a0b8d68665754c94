import { readFileSync } from 'node:fs'
import { iiifSource, type SourceInput, type SourceItem } from '../../../src/sources/index.ts'
import { recordedContext, type RecordedAnswer, type RecordedContext } from '../recorded-context.ts'

/** The text of a copied manifest. */
export function fixture(name: string): string {
  return readFileSync(new URL(`../fixtures/iiif/${name}.json`, import.meta.url), 'utf8')
}

export const site = 'https://library.example.net'
export const images = 'https://images.example.net/iiif'
const context3 = 'http://iiif.io/api/presentation/3/context.json'

export interface Run {
  readonly items: readonly SourceItem[]
  readonly context: RecordedContext
}

/** Extracts to the end. */
export async function extract(
  text: string,
  documents: Readonly<Record<string, RecordedAnswer>>,
  options?: SourceInput['options'],
): Promise<Run> {
  const context = recordedContext(documents)
  const items: SourceItem[] = []
  for await (const item of iiifSource.extract(
    { text, ...(options === undefined ? {} : { options }) },
    context,
  )) {
    items.push(item)
  }
  return { items, context }
}

/** A canvas of version 3 with one image of a service. */
export function canvas3(id: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    id: `${site}/${id}`,
    type: 'Canvas',
    label: { none: [id] },
    width: 2000,
    height: 3000,
    items: [page3(`${id}-page`, [annotation3(id, image3(id))])],
    ...more,
  }
}

export function page3(id: string, items: readonly unknown[]): Record<string, unknown> {
  return { id: `${site}/${id}`, type: 'AnnotationPage', items }
}

export function annotation3(
  canvas: string,
  body: unknown,
  target = `${site}/${canvas}`,
): Record<string, unknown> {
  return { id: `${site}/${canvas}-anno`, type: 'Annotation', motivation: 'painting', body, target }
}

export function image3(id: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    id: `${images}/${id}/full/max/0/default.jpg`,
    type: 'Image',
    format: 'image/jpeg',
    width: 2000,
    height: 3000,
    service: [{ id: `${images}/${id}`, type: 'ImageService3', profile: 'level1' }],
    ...more,
  }
}

export function manifest3(items: readonly unknown[], more: Record<string, unknown> = {}): string {
  return JSON.stringify({
    '@context': context3,
    id: `${site}/manifest`,
    type: 'Manifest',
    label: { en: ['A book'] },
    items,
    ...more,
  })
}

export function info3(id: string, more: Record<string, unknown> = {}): Readonly<Record<string, string>> {
  const info = {
    '@context': 'http://iiif.io/api/image/3/context.json',
    id: `${images}/${id}`,
    type: 'ImageService3',
    profile: 'level1',
    width: 2000,
    height: 3000,
    ...more,
  }
  return { [`${images}/${id}/info.json`]: JSON.stringify(info) }
}

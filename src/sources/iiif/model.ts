import type { BookMetadata } from '../../core/index.ts'
import type { JsonObject } from '../json.ts'

/** A manifest of either version, in the preferred languages. */
export interface IiifManifest {
  readonly id: string
  readonly metadata: BookMetadata
  readonly canvases: readonly IiifCanvas[]
  /** The table of contents: chapters of the top, each with what is below it. */
  readonly ranges: readonly IiifRange[]
  /** Other orders of the pages that the manifest offers. */
  readonly orders: readonly IiifOrder[]
  /** Access services that the manifest itself names. */
  readonly auth: readonly IiifAuth[]
}

/** One page of the manifest, whatever it shows. */
export interface IiifCanvas {
  readonly id: string
  readonly label?: string
  readonly widthPx?: number
  readonly heightPx?: number
  /** Pixels of the canvas an inch, from a physical dimensions service. */
  readonly dpi?: number
  /** What is painted, in order; `ref` is an annotation page that must be fetched. */
  readonly content: readonly (IiifPainting | { readonly ref: string })[]
}

/** One painting annotation. */
export interface IiifPainting {
  /** The images to choose from, the default first; empty when it paints something else. */
  readonly images: readonly IiifImage[]
  /** What it paints when there are no images, such as `Video`. */
  readonly other?: string
  /** Where on the canvas; the whole when absent. */
  readonly target?: IiifBox
}

/** A part of a canvas or image, in its pixels, or in hundredths. */
export interface IiifBox {
  readonly unit: 'pixel' | 'percent'
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

export interface IiifImage {
  /** The address of the image itself; often a reduced one. */
  readonly url?: string
  readonly label?: string
  readonly format?: string
  readonly widthPx?: number
  readonly heightPx?: number
  readonly service?: IiifImageService
  /** The part to take, when not all of it. */
  readonly region?: IiifBox
  /** Degrees clockwise. */
  readonly rotation?: number
  readonly quality?: string
  readonly auth?: IiifAuth
}

export type ImageApiVersion = 1 | 2 | 3

export interface IiifImageService {
  /** Without a slash at the end, otherwise exactly as written. */
  readonly id: string
  readonly version: ImageApiVersion
  /** The service as embedded: sometimes a whole info.json. */
  readonly embedded: JsonObject
}

/** An access service: what to tell people who are not let in, and where to ask whether they are. */
export interface IiifAuth {
  readonly id: string
  readonly heading?: string
  readonly note?: string
  /** Authorization Flow API 2 only. */
  readonly probe?: string
}

export interface IiifRange {
  readonly id: string
  readonly title?: string
  /** What it holds, in order. */
  readonly items: readonly ({ readonly canvas: string } | IiifRange)[]
}

export interface IiifOrder {
  readonly label?: string
  /** Ids of canvases. */
  readonly canvases: readonly string[]
}

/** A collection of either version; members in its order, each once. */
export interface IiifCollection {
  readonly id: string
  readonly title: string
  /** The members are volumes of one work. */
  readonly multiPart: boolean
  readonly members: readonly IiifMember[]
  /** The next page of a long collection. */
  readonly next?: string
}

export interface IiifMember {
  readonly id: string
  readonly type: 'collection' | 'manifest'
  readonly label?: string
  /** Members that were embedded with the member itself. */
  readonly embedded?: IiifCollection
}

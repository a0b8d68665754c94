import { createHash } from 'node:crypto'
import { deflateSync } from 'node:zlib'
import type { ColourPlan, ImagePlan } from './embed/image-plan.ts'
import type { ObjectFile } from './object-file.ts'
import { pdfRef } from './pdf-syntax.ts'

/** An image that stands in the file. */
export interface EmbeddedImage {
  readonly id: number
  readonly widthPx: number
  readonly heightPx: number
  /** Where its stream lies. */
  readonly offset: number
  readonly length: number
  /** Of the stream before encryption. */
  readonly plainBytes: number
  readonly crc: number
  readonly verbatim: boolean
}

/** Writes image objects; equal profiles and palettes and, where a digest is known, equal images are written once. */
export class ImageObjects {
  readonly #objects: ObjectFile
  readonly #byDigest = new Map<string, EmbeddedImage>()
  readonly #streams = new Map<string, number>()

  constructor(objects: ObjectFile) {
    this.#objects = objects
  }

  /** The image of an earlier page with the same digest. */
  known(digest: string | undefined): EmbeddedImage | undefined {
    return digest === undefined ? undefined : this.#byDigest.get(digest)
  }

  async write(plan: ImagePlan, digest: string | undefined): Promise<EmbeddedImage> {
    const mask = plan.alpha ? ` /SMask ${pdfRef((await this.write(plan.alpha, undefined)).id)}` : ''
    const colours = await this.#colours(plan.colour)
    const depth = plan.bitDepth === undefined ? '' : ` /BitsPerComponent ${plan.bitDepth}`
    const size = `/Width ${plan.widthPx} /Height ${plan.heightPx}`
    const id = this.#objects.allocate()
    const stream = await this.#objects.writeStream(
      id,
      `/Type /XObject /Subtype /Image ${size}${colours}${depth} ${plan.entries}${mask}`,
      plan.data,
    )
    const image: EmbeddedImage = {
      id,
      widthPx: plan.widthPx,
      heightPx: plan.heightPx,
      ...stream,
      plainBytes: plan.data.reduce((sum, part) => sum + part.length, 0),
      verbatim: plan.verbatim,
    }
    if (digest !== undefined) this.#byDigest.set(digest, image)
    return image
  }

  async #colours(colour: ColourPlan): Promise<string> {
    if (colour.palette) return ` /ColorSpace ${await this.#indexed(colour.space, colour.palette)}`
    if (colour.icc) {
      const components = { DeviceGray: 1, DeviceRGB: 3, DeviceCMYK: 4, none: 3 }[colour.space]
      const profile = await this.#profile(colour.icc, components, colour.space)
      return ` /ColorSpace [/ICCBased ${pdfRef(profile)}]`
    }
    return colour.space === 'none' ? '' : ` /ColorSpace /${colour.space}`
  }

  /** The table as a stream: a string would be encrypted together with its object. */
  async #indexed(base: string, palette: Buffer): Promise<string> {
    const entries = Math.floor(palette.length / 3)
    const id = await this.#shared(palette.subarray(0, entries * 3), '')
    return `[/Indexed /${base} ${entries - 1} ${pdfRef(id)}]`
  }

  #profile(icc: Buffer, components: number, alternate: string): Promise<number> {
    return this.#shared(icc, `/N ${components} /Alternate /${alternate}`)
  }

  /** A compressed stream that is written once for equal bytes. */
  async #shared(bytes: Buffer, entries: string): Promise<number> {
    const key = entries + createHash('sha256').update(bytes).digest('hex')
    const known = this.#streams.get(key)
    if (known !== undefined) return known
    const id = this.#objects.allocate()
    await this.#objects.writeStream(id, `${entries} /Filter /FlateDecode`.trim(), [deflateSync(bytes)])
    this.#streams.set(key, id)
    return id
  }
}

import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describeLocator, fromErrorData, TrawlError, type Page } from '../core/index.ts'
import {
  planFingerprint,
  transformPage,
  type ImageExpectation,
  type ImageFacts,
  type PagePlan,
} from '../images/index.ts'
import type { Source, SourceContext } from '../sources/index.ts'
import { composePage } from './compose-page.ts'
import type { PageCheck } from './page-check.ts'
import type { PageFetcher, StagedImage } from './page-fetcher.ts'
import { changesPages } from './page-settings.ts'

/** A page ready to be packed: one part, or several where it was cut. */
export interface MadePage extends Omit<StagedImage, 'path'> {
  readonly parts: readonly { readonly path: string; readonly facts: ImageFacts }[]
  /** Path of the checked original. */
  readonly original: string
}

export interface PageMakerOptions {
  readonly fetcher: PageFetcher
  readonly source: Source
  readonly context: SourceContext
  /** Absolute folder of the work's staging. */
  readonly dir: string
  readonly plan: PagePlan
  readonly check: PageCheck
  /** Sent with every request; those of a page win. */
  readonly headers: Readonly<Record<string, string>>
  /** A checked original that is here already, such as in a container of before. */
  readonly keptOriginal: (key: string) => Promise<string | undefined>
  readonly signal: AbortSignal
}

/** Fetches, checks, composes and transforms the pages of one work. */
export class PageMaker {
  readonly #options: PageMakerOptions
  readonly #derived: string
  readonly #changes: boolean

  constructor(options: PageMakerOptions) {
    this.#options = options
    this.#changes = changesPages(options.plan)
    this.#derived = join(options.dir, 'derived', planFingerprint(options.plan))
    if (this.#changes) mkdirSync(this.#derived, { recursive: true })
  }

  /** Throws the TrawlError that says why the page is missing, and `Unfinished`. */
  async make(page: Page, key: string, ordinal: number): Promise<MadePage> {
    const original = await this.#original(page, key, ordinal)
    if (!this.#changes) {
      return { ...rest(original), parts: [{ path: original.path, facts: original.checked.facts }] }
    }
    const { plan, signal } = this.#options
    const parts = await transformPage(original.path, plan, { dir: this.#derived, name: key }, { signal })
    return { ...rest(original), parts }
  }

  async #original(page: Page, key: string, ordinal: number): Promise<StagedImage> {
    const kept = await this.#options.keptOriginal(key)
    if (kept !== undefined) return this.#local(page, kept, true)
    if (page.localPath !== undefined) return this.#local(page, page.localPath, false)
    if (page.layers !== undefined) return this.#composed(page, key, ordinal)
    if (page.fault) throw fromErrorData(page.fault.error)
    if (page.locator === undefined) {
      throw new TrawlError('ERR_PAGE_MISSING', 'the source lists this page without an image')
    }
    return this.#fetched(page, key, ordinal)
  }

  async #fetched(page: Page, key: string, ordinal: number): Promise<StagedImage> {
    const { locator } = page
    if (locator === undefined) throw new TrawlError('ERR_INTERNAL', 'a page without a locator')
    const wish = {
      key,
      ordinal,
      expected: expectationOf(page),
      headers: { ...this.#options.headers, ...page.headers },
    }
    const { fetcher, source, context } = this.#options
    if (locator.kind !== 'source') return fetcher.fetch({ ...wish, locator })
    if (!source.resolve) {
      throw new TrawlError(
        'ERR_INTERNAL',
        `the source ${source.name} gives references but cannot resolve them`,
      )
    }
    const places = await source.resolve(locator.ref, 'first', context)
    try {
      return await fetcher.fetch({ ...wish, locator: places })
    } catch (error) {
      if (!(error instanceof TrawlError) || !expired.has(error.code)) throw error
      return fetcher.fetch({ ...wish, locator: await source.resolve(locator.ref, 'expired', context) })
    }
  }

  async #local(page: Page, path: string, fromBefore: boolean): Promise<StagedImage> {
    const checked = await this.#options.check(path, expectationOf(page))
    return { path, checked, url: path, attempts: 0, fetchedBytes: 0, durationMs: 0, fromBefore }
  }

  async #composed(page: Page, key: string, ordinal: number): Promise<StagedImage> {
    const { layers = [], expectedWidthPx: widthPx, expectedHeightPx: heightPx } = page
    if (widthPx === undefined || heightPx === undefined) {
      throw new TrawlError('ERR_SOURCE_PARSE', 'a composed page without a size', { scope: 'task' })
    }
    const { dir, check, signal } = this.#options
    const path = join(dir, 'composed', `${key}.png`)
    let images: readonly StagedImage[] = []
    if (!existsSync(path)) {
      images = await Promise.all(
        layers.map(({ locator }, i) => this.#fetched(layerPage(page, locator), `${key}-l${i + 1}`, ordinal)),
      )
      mkdirSync(join(dir, 'composed'), { recursive: true })
      const staged = layers.flatMap((layer, i) => {
        const image = images[i]
        return image ? [{ layer, path: image.path }] : []
      })
      await composePage({ widthPx, heightPx }, staged, path, signal)
    }
    const checked = await check(path, { widthPx, heightPx })
    return {
      path,
      checked,
      url: urlOf(page),
      attempts: Math.max(0, ...images.map((image) => image.attempts)),
      fetchedBytes: images.reduce((sum, image) => sum + image.fetchedBytes, 0),
      // The layers are fetched side by side.
      durationMs: Math.max(0, ...images.map((image) => image.durationMs)),
      fromBefore: images.every((image) => image.fromBefore),
    }
  }
}

/** Answers after which places are asked for again. */
const expired: ReadonlySet<string> = new Set(['ERR_HTTP_AUTH', 'ERR_HTTP_NOT_FOUND'])

/** What stands for a page in reports. */
export function urlOf(page: Page): string {
  if (page.localPath !== undefined) return page.localPath
  const locator = page.locator ?? page.layers?.[0]?.locator
  return locator === undefined ? (page.fault?.text ?? '') : describeLocator(locator)
}

function layerPage(page: Page, locator: NonNullable<Page['locator']>): Page {
  return { locator, ...(page.headers ? { headers: page.headers } : {}) }
}

function expectationOf(page: Page): ImageExpectation {
  const { expectedWidthPx, expectedHeightPx, expectedSizeBytes, digests } = page
  return {
    ...(expectedWidthPx === undefined ? {} : { widthPx: expectedWidthPx }),
    ...(expectedHeightPx === undefined ? {} : { heightPx: expectedHeightPx }),
    ...(expectedSizeBytes === undefined ? {} : { sizeBytes: expectedSizeBytes }),
    ...(digests ? { digests } : {}),
  }
}

function rest(image: StagedImage): Omit<MadePage, 'parts'> {
  const { path: original, ...others } = image
  return { original, ...others }
}

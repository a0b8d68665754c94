/** An image that a page shows or links to. Positions and sizes are as the page states them. */
export interface ImageCandidate {
  /** Absolute http: or https: URL of the best version known. */
  readonly url: string
  /** Place in the page, from 0. */
  readonly order: number
  /**
   * `linked`: an anchor leads to the image file. `shown`: an image element. `data`: a list in embedded JSON.
   * `named`: the page names it as its own picture (OpenGraph, JSON-LD).
   */
  readonly kind: 'linked' | 'shown' | 'data' | 'named'
  /** Tag and class names from the root down, without positions and numbers: equal for images of one list. */
  readonly path: string
  readonly widthPx?: number
  readonly heightPx?: number
  /** Another page that the image leads to. */
  readonly leadsTo?: string
  readonly alt?: string
  /** Inside of what is about the site and not the work: nav, header, footer, aside. */
  readonly aside: boolean
  /** Inside of what is about the work: main, article, a reader or gallery. */
  readonly central: boolean
}

/** What is read of one page. */
export interface PageFacts {
  readonly url: string
  readonly title?: string
  readonly author?: string
  readonly language?: string
  readonly summary?: string
  readonly candidates: readonly ImageCandidate[]
  /** The next page of the same work. */
  readonly next?: string
  /** A IIIF manifest that the page declares. */
  readonly manifest?: string
  /** Anchors with their texts, in order. */
  readonly anchors: readonly { readonly url: string; readonly href: string; readonly text: string }[]
}

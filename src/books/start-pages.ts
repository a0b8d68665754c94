import type { Page } from '../core/index.ts'
import { createPageKeys } from './page-keys.ts'
import type { MadePage } from './page-maker.ts'
import type { PlannedPage } from './planned-work.ts'

/** Pages in the pipeline at once where nothing else is said: more than any host gets at once. */
export const defaultWindow = 128

/** Pages that may be ready before the one that is packed next; each is a few facts, its bytes are in staging. */
const mostAhead = 4096

/** A page on its way: `made` settles when it can be packed or is known to be missing. */
export interface PageState {
  readonly planned: PlannedPage
  readonly key: string
  readonly index: number
  readonly made: Promise<MadePage>
  /** To be called when the page was packed or given up: it makes room for another. */
  readonly finished: () => void
}

export interface StartPagesOptions {
  /** Pages at once. */
  readonly window: number
  readonly make: (page: Page, key: string, index: number) => Promise<MadePage>
  readonly signal: AbortSignal
}

/**
 * Starts pages as there is room in the window, as fast as their source gives them; gives them in order, without
 * waiting for them. One page that takes long holds nothing up until some thousands are ready behind it. Throws what the source throws, after the pages before it.
 */
export async function* startPages(
  pages: AsyncIterable<PlannedPage>,
  options: StartPagesOptions,
): AsyncGenerator<readonly PageState[], void, undefined> {
  const window = new Window(options.window)
  const ahead = new Window(Math.max(mostAhead, options.window))
  const keyOf = createPageKeys()
  const started: PageState[] = []
  let wake: (() => void) | undefined
  let ended = false
  let failure: unknown
  const read = async (): Promise<void> => {
    let index = 0
    for await (const planned of pages) {
      if (options.signal.aborted) break
      await ahead.enter()
      await window.enter()
      const key = keyOf(planned.page)
      const made = options.make(planned.page, key, index)
      const leave = (): void => window.leave()
      made.then(leave, leave)
      started.push({ planned, key, index: index++, made, finished: () => ahead.leave() })
      wake?.()
    }
  }
  const reading = read()
    .catch((error: unknown) => {
      failure = error
    })
    .finally(() => {
      ended = true
      wake?.()
    })
  for (;;) {
    if (started.length > 0) yield started.splice(0)
    else if (ended) break
    else await new Promise<void>((resolve) => (wake = resolve))
  }
  await reading
  if (failure !== undefined) throw failure
}

/** So many at once, and no more. */
class Window {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(size: number) {
    this.#free = size
  }

  async enter(): Promise<void> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  leave(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#free++
  }
}

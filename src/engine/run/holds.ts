import type { ItemSelector } from '../../core/index.ts'

/** What a user holds back: the whole run, or single hosts. */
export class Holds {
  #all = false
  readonly #hosts = new Set<string>()

  get all(): boolean {
    return this.#all
  }

  holdsHost(host: string): boolean {
    return this.#hosts.has(host)
  }

  hold(which: ItemSelector): void {
    if (which.host === undefined) this.#all = true
    else this.#hosts.add(which.host)
  }

  release(which: ItemSelector): void {
    if (which.host === undefined) {
      this.#all = false
      this.#hosts.clear()
    } else {
      this.#hosts.delete(which.host)
    }
  }
}

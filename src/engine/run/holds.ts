import type { ItemSelector } from '../../core/index.ts'
import { isOfHost } from './host-of.ts'
import type { RunningTask } from './task-queue.ts'

/** What a user holds back or does not want any more: the whole run, single hosts, single items. */
export class Holds {
  #all = false
  readonly #hosts = new Set<string>()
  readonly #items = new Set<string>()
  readonly #unwantedHosts = new Set<string>()
  readonly #unwantedItems = new Set<string>()

  get all(): boolean {
    return this.#all
  }

  /** True when single tasks have to be looked at before they start. */
  get selective(): boolean {
    return this.#items.size + this.#unwantedHosts.size + this.#unwantedItems.size > 0
  }

  holdsHost(host: string): boolean {
    return this.#hosts.size > 0 && hasHost(this.#hosts, host)
  }

  holdsItem(item: RunningTask): boolean {
    return this.#items.has(item.task.id)
  }

  /** True for an item that was cancelled before it was known. */
  unwanted(item: RunningTask): boolean {
    return this.#unwantedItems.has(item.task.id) || hasHost(this.#unwantedHosts, item.host)
  }

  hold({ host, id }: ItemSelector): void {
    if (id !== undefined) this.#items.add(id)
    else if (host !== undefined) this.#hosts.add(host.toLowerCase())
    else this.#all = true
  }

  /** What is meant must not start, also what is not read yet. */
  refuse({ host, id }: ItemSelector): void {
    if (id !== undefined) this.#unwantedItems.add(id)
    else if (host !== undefined) this.#unwantedHosts.add(host.toLowerCase())
  }

  /** Takes holds and refusals back; without a host or an item, all of them. */
  release({ host, id }: ItemSelector): void {
    if (id !== undefined) {
      this.#items.delete(id)
      this.#unwantedItems.delete(id)
    } else if (host !== undefined) {
      this.#hosts.delete(host.toLowerCase())
      this.#unwantedHosts.delete(host.toLowerCase())
    } else {
      this.#all = false
      for (const held of [this.#hosts, this.#items]) held.clear()
    }
  }
}

function hasHost(hosts: ReadonlySet<string>, host: string): boolean {
  if (hosts.size === 0) return false
  for (const each of hosts) if (isOfHost(host, each)) return true
  return false
}

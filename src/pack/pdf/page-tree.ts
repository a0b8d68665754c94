import { pdfRef } from './pdf-syntax.ts'

/** What the tree needs of the file it is written to. */
export interface TreeObjects {
  allocate(): number
  write(id: number, body: string): Promise<void>
}

interface Level {
  readonly id: number
  kids: number[]
  /** Pages below. */
  count: number
}

/** Pages under one node; readers find a page in a few steps, and nobody holds a list of all pages. */
const fanOut = 64

/**
 * The balanced page tree (ISO 32000-1, 7.7.3.2), written while pages come: of each level only the node that is not
 * full yet is in memory.
 */
export class PageTree {
  readonly #objects: TreeObjects
  readonly #levels: (Level | undefined)[] = []

  constructor(objects: TreeObjects) {
    this.#objects = objects
  }

  /** The node that the next page belongs to. */
  async parent(): Promise<number> {
    return (await this.#open(0)).id
  }

  /** Counts a page that was written with `parent()` as its parent. */
  add(pageId: number): void {
    const leaf = this.#levels[0]
    leaf?.kids.push(pageId)
    if (leaf) leaf.count++
  }

  /** Writes what is left and returns the root. */
  async finish(): Promise<number> {
    for (let depth = 0; depth < this.#levels.length - 1; depth++) await this.#close(depth)
    const root = this.#levels.at(-1)
    if (!root) throw new RangeError('a page tree has at least one page')
    await this.#write(root, undefined)
    return root.id
  }

  /** The node of a level that has room for one more kid. */
  async #open(depth: number): Promise<Level> {
    const level = this.#levels[depth]
    if (level && level.kids.length === fanOut) await this.#close(depth)
    return (this.#levels[depth] ??= { id: this.#objects.allocate(), kids: [], count: 0 })
  }

  /** Writes the node of a level under one of the level above. */
  async #close(depth: number): Promise<void> {
    const level = this.#levels[depth]
    if (!level) return
    const above = await this.#open(depth + 1)
    above.kids.push(level.id)
    above.count += level.count
    await this.#write(level, above.id)
    this.#levels[depth] = undefined
  }

  #write(level: Level, parent: number | undefined): Promise<void> {
    const up = parent === undefined ? '' : ` /Parent ${pdfRef(parent)}`
    const kids = level.kids.map(pdfRef).join(' ')
    return this.#objects.write(level.id, `<< /Type /Pages${up} /Count ${level.count} /Kids [${kids}] >>`)
  }
}

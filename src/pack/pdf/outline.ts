import type { Chapter } from '../../core/index.ts'
import { chapterTitle } from '../chapter-title.ts'
import { pdfRef } from './pdf-syntax.ts'

interface OutlineNode {
  readonly title: string
  readonly depth: number
  readonly page: number
  readonly kids: OutlineNode[]
}

/** What the outline needs of the file it is written to. */
export interface OutlineObjects {
  allocate(): number
  write(id: number, body: string): Promise<void>
  /** A string object. */
  text(value: string): string
}

/** Gathers chapters into the document outline (ISO 32000-1, 12.3.3): entries nest by the depth of their chapter. */
export class Outline {
  readonly #top: OutlineNode[] = []
  /** The open entries, outermost first. */
  #path: OutlineNode[] = []

  /** `pageId` is the object the entry leads to. */
  add(chapter: Chapter, pageId: number): void {
    const node = { title: chapterTitle(chapter), depth: chapter.depth, page: pageId, kids: [] }
    this.#path = this.#path.filter((open) => open.depth < chapter.depth)
    const siblings = this.#path.at(-1)?.kids ?? this.#top
    siblings.push(node)
    this.#path.push(node)
  }

  /** Writes the outline and returns its root; undefined where there are no chapters. The top level is open. */
  async write(objects: OutlineObjects): Promise<number | undefined> {
    if (this.#top.length === 0) return undefined
    const root = objects.allocate()
    const { first, last } = await writeSiblings(objects, this.#top, root)
    const ends = `/First ${pdfRef(first)} /Last ${pdfRef(last)}`
    await objects.write(root, `<< /Type /Outlines ${ends} /Count ${this.#top.length} >>`)
    return root
  }
}

async function writeSiblings(
  objects: OutlineObjects,
  nodes: readonly OutlineNode[],
  parent: number,
): Promise<{ first: number; last: number }> {
  const ids = nodes.map(() => objects.allocate())
  for (const [i, node] of nodes.entries()) {
    const id = ids[i] ?? 0
    const before = ids[i - 1]
    const after = ids[i + 1]
    const parts = [
      `/Title ${objects.text(node.title)} /Parent ${pdfRef(parent)} /Dest [${pdfRef(node.page)} /Fit]`,
      before === undefined ? '' : `/Prev ${pdfRef(before)}`,
      after === undefined ? '' : `/Next ${pdfRef(after)}`,
    ]
    if (node.kids.length > 0) {
      const { first, last } = await writeSiblings(objects, node.kids, id)
      // A negative count: closed until the reader opens it.
      parts.push(`/First ${pdfRef(first)} /Last ${pdfRef(last)} /Count -${node.kids.length}`)
    }
    await objects.write(id, `<< ${parts.filter((part) => part !== '').join(' ')} >>`)
  }
  return { first: ids[0] ?? 0, last: ids.at(-1) ?? 0 }
}

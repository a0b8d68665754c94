import { resolve } from 'node:path'
import { toTrawlError, TrawlError, type DownloadEventBody } from '../core/index.ts'
import type { Engine } from '../engine/index.ts'
import type { TemplateValues } from '../storage/index.ts'
import { bookTemplate, bookValues } from './book-names.ts'
import type { BookSpec } from './book-spec.ts'
import { createItemFilter } from './item-filter.ts'
import { urlOf } from './page-maker.ts'
import { planWorks } from './plan-works.ts'
import { containerExtensions } from './publish-book.ts'
import { containerPath } from './publish-work.ts'
import { sourceContext } from './source-context.ts'

/** What a book job would make of a work. */
export interface BookPlan {
  readonly id: string
  readonly title: string
  readonly source: string
  /** Absolute, one for each format. */
  readonly files: readonly string[]
  /** Values of the fields of name templates. */
  readonly fields: TemplateValues
  /** Addresses of pages, in order; empty where the source lists a page without an image. */
  readonly pages: readonly string[]
}

/**
 * What a job of this specification would make, without fetching a page or writing a file: only the documents of the
 * source are read. Of several works those that can be had come first; then it throws what the source of another one
 * threw. Throws ERR_CONFIG_INVALID too.
 */
export async function* planBooks(
  spec: BookSpec,
  parts: {
    readonly engine: Engine
    readonly emit: (event: DownloadEventBody) => void
    readonly signal: AbortSignal
  },
): AsyncGenerator<BookPlan, void, undefined> {
  const { options } = spec
  const template = bookTemplate(options)
  const context = sourceContext(spec, parts.engine, parts)
  const filter = options.filter === undefined ? undefined : await createItemFilter(options.filter)
  const errors: TrawlError[] = []
  const works = planWorks({
    spec,
    contextOf: () => context,
    onError: (_, error) => void errors.push(toTrawlError(error)),
    ...(filter ? { filter } : {}),
  })
  let planned = 0
  for await (const work of works) {
    planned++
    const pages: string[] = []
    for await (const { page } of work.pages) {
      if (page.fault) parts.emit({ type: 'job.notice', message: page.fault.error.message })
      pages.push(urlOf(page))
    }
    const fields = bookValues(work, work.metadata, pages.length)
    const name = options.out ?? template.render(fields)
    const dir = resolve(options.dir)
    const given = options.out !== undefined
    const files = options.formats.map((format) =>
      containerPath({ dir, name, extension: containerExtensions[format], given }),
    )
    yield { id: work.id, title: work.metadata.title, source: work.source.name, files, fields, pages }
  }
  const [first, ...others] = errors
  for (const error of others) parts.emit({ type: 'job.notice', message: error.message })
  if (first) throw first
  if (planned === 0) {
    throw new TrawlError('ERR_SOURCE_EMPTY', `${spec.inputs[0]?.text ?? ''}: there are no pages`)
  }
}

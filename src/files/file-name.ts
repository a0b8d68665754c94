import { TrawlError, type DownloadTask } from '../core/index.ts'
import type { EntityFacts } from '../engine/index.ts'
import { parseContentDisposition } from '../http/index.ts'
import {
  compileTemplate,
  downloadFields,
  downloadValues,
  nameFromResponse,
  safeRelativePath,
  type NameTemplate,
  type NamedDownload,
} from '../storage/index.ts'

/** The wanted relative path of a task's file; undefined where only the answer can tell. */
export type FileNamer = (task: DownloadTask, facts: EntityFacts | undefined) => string | undefined

/**
 * Names files: an exact path of the task, else a template, else Content-Disposition or the URL. Throws
 * ERR_CONFIG_INVALID for a template that is wrong; the namer throws ERR_PATH_UNSAFE for a path that climbs.
 */
export function createFileNamer(options: {
  readonly template?: string
  readonly startedMs: number
}): FileNamer {
  const compile = (text: string): NameTemplate =>
    compileTemplate(text, { option: '--name', fields: downloadFields })
  const common = options.template === undefined ? undefined : compile(options.template)
  return (task, facts) => {
    const { target } = task
    const folder = target.dir === undefined || target.dir === '' ? '' : `${safeRelativePath(target.dir)}/`
    if (target.path !== undefined) return folder + safeRelativePath(target.path)
    const template = target.template === undefined ? common : compile(target.template)
    if (template)
      return facts && folder + template.render(downloadValues(template, download(task, facts, options)))
    if (facts === undefined) {
      return task.locator.kind === 'source' ? undefined : folder + nameFromResponse({ url: urlOf(task) })
    }
    return folder + nameFromResponse(namedResponse(task, facts))
  }
}

function namedResponse(task: DownloadTask, facts: EntityFacts): NamedDownload {
  const name =
    facts.contentDisposition === undefined
      ? undefined
      : parseContentDisposition(facts.contentDisposition)?.fileName
  return {
    // A reference is no name; the address that it led to may be.
    url: task.locator.kind === 'source' ? facts.url : urlOf(task),
    ordinal: task.ordinal,
    finalUrl: facts.url,
    contentDispositionName: name,
    contentType: facts.contentType,
  }
}

function download(
  task: DownloadTask,
  facts: EntityFacts,
  options: { readonly startedMs: number },
): NamedDownload {
  return {
    ...namedResponse(task, facts),
    startedMs: options.startedMs,
    headers: facts.headers ?? {},
    ...(task.fields ? { columns: task.fields } : {}),
  }
}

function urlOf(task: DownloadTask): string {
  const { locator } = task
  if (locator.kind === 'source') return locator.ref
  const url = locator.places[0]?.url
  if (url === undefined) throw new TrawlError('ERR_URL_INVALID', 'a file without a URL')
  return url
}

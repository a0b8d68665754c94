import {
  describeLocator,
  taskRequest,
  TrawlError,
  type DownloadTask,
  type Outcome,
  type SkipReason,
  type TaskRequest,
  type Validators,
} from '../../core/index.ts'
import { parseHttpDate } from '../../http/index.ts'
import type { FileFacts, OutputFolder } from '../../storage/index.ts'
import type { EntityFacts, EntityVerdict, KeptBytes, StagedTransfer } from '../transfer/transfer.ts'
import type { PartFiles } from '../remote/part-files.ts'
import { Committer, type CommitRequest } from './committer.ts'
import type { Admission, CommitFacts, Destination, NamedTask } from './destination.ts'
import { recoverCommits } from './recover.ts'

/** What to do about a file that is there already. */
export type OnExists = 'resume' | 'skip' | 'overwrite' | 'rename' | 'error'

/** What is refused when the headers of an answer are there. */
export interface BodyLimits {
  readonly maxSizeBytes?: number | undefined
  readonly minSizeBytes?: number | undefined
  readonly acceptHtml: boolean
}

export interface FolderDestinationOptions extends BodyLimits {
  readonly folder: OutputFolder
  readonly onExists: OnExists
  /** The wanted relative path; collisions are settled afterwards. `facts` is absent before the answer is known. */
  readonly nameOf: (task: DownloadTask, facts: EntityFacts | undefined) => string | undefined
  /** Other limits for some tasks. */
  readonly bodyLimitsOf?: (task: DownloadTask) => BodyLimits
  /** The name template of the run, recorded with files that fail before they are named. */
  readonly template?: string
  /** Asked before a file is named: a reason leaves it out. */
  readonly divert?: (task: DownloadTask, facts: EntityFacts) => SkipReason | undefined
  /** Gives files the modification time that the server told. */
  readonly remoteTime: boolean
}

/** Files in an output folder, named once, journaled, and committed in groups. */
export class FolderDestination implements Destination {
  /** Renames of a former run that were finished or confirmed when this one began. */
  readonly recovered: number
  readonly parts: PartFiles
  readonly #options: FolderDestinationOptions
  readonly #folder: OutputFolder
  readonly #committer: Committer
  readonly #places = new Map<string, string>()

  constructor(options: FolderDestinationOptions) {
    this.#options = options
    this.#folder = options.folder
    this.#folder.join()
    const { journal, volume } = options.folder
    this.#committer = new Committer({
      journal,
      volume,
      place: (path) => this.#placed(path),
      rename: (request) => this.#rename(request),
    })
    this.recovered = recoverCommits(options.folder)
    this.parts = this.#partFiles()
  }

  admit(task: DownloadTask): Admission {
    const { journal } = this.#folder
    const done = journal.doneFile(task.id)
    if (done) return this.#admitDone(task, done)
    if (journal.state(task.id) !== undefined) {
      const entry = journal.find(task.id)
      const path = entry?.named?.path
      const kept = entry?.checkpoint && this.#folder.holds(entry.checkpoint) ? entry.checkpoint : undefined
      return { admit: 'fetch', ...(path === undefined ? {} : { path }), ...(kept ? { kept } : {}) }
    }
    if (this.#options.onExists === 'skip') {
      const path = this.#options.nameOf(task, undefined)
      const found = path === undefined ? undefined : this.#folder.look(path)
      if (path !== undefined && found?.isFile()) {
        return { admit: 'skip', reason: 'exists', path, sizeBytes: found.size }
      }
    }
    return { admit: 'fetch' }
  }

  entity(named: NamedTask, facts: EntityFacts): EntityVerdict & { readonly path?: string } {
    const diverted = this.#options.divert?.(named.task, facts)
    if (diverted) return { verdict: 'skip', reason: diverted }
    this.#refuse(named.task, facts)
    const { id } = named.task
    if (this.#folder.isBusy(id)) throw busy(named.task)
    const done = this.#folder.journal.doneFile(id)
    // Another job has fetched it while this one waited.
    if (done) return { verdict: 'skip', reason: 'finished-before', path: done.path }
    let path = named.path
    if (path === undefined) {
      const settled = this.#name(named.task, facts)
      if (settled.skip) return { verdict: 'skip', reason: 'exists', path: settled.path }
      path = settled.path
      this.#journalName(named.task, path)
    }
    return { verdict: 'go', sink: this.#folder.sink(id), path }
  }

  commit(named: NamedTask, staged: StagedTransfer, outcome: CommitFacts): Promise<string> {
    const { path } = named
    if (path === undefined) {
      return Promise.reject(new TrawlError('ERR_INTERNAL', 'a file without a name was to be committed'))
    }
    if (this.#folder.placed(path) !== undefined) return this.#commitPlaced(named, path, staged, outcome)
    return this.#folder.place(path).then((absolute) => {
      this.#places.set(path, absolute)
      return this.#commitPlaced(named, path, staged, outcome).finally(() => this.#places.delete(path))
    })
  }

  #commitPlaced(
    named: NamedTask,
    path: string,
    staged: StagedTransfer,
    outcome: CommitFacts,
  ): Promise<string> {
    const request: { -readonly [K in keyof CommitRequest]: CommitRequest[K] } = {
      id: named.task.id,
      staged,
      facts: recordedFacts(named.task, staged, outcome),
      path,
      replace: named.replace || this.#options.onExists === 'overwrite',
    }
    const modifiedS = this.#options.remoteTime ? modifiedSeconds(staged.facts.validators) : undefined
    if (modifiedS !== undefined) request.modifiedS = modifiedS
    return this.#committer.commit(request)
  }

  checkpoint(named: NamedTask, kept: KeptBytes): void {
    this.#folder.journal.checkpoint({ id: named.task.id, ...kept })
    this.#folder.journal.flush()
  }

  failed(
    named: NamedTask,
    error: TrawlError,
    facts: { readonly attempts: number; readonly httpStatus?: number },
  ): void {
    const request = named.path === undefined ? this.#unnamedRequest(named.task) : undefined
    this.#folder.journal.failed({
      id: named.task.id,
      ordinal: named.task.ordinal,
      input: describeLocator(named.task.locator),
      error: error.toJSON(),
      ...facts,
      ...(named.path === undefined ? {} : { path: named.path }),
      ...(request ? { request } : {}),
    })
  }

  flush(): void {
    try {
      if (this.#folder.volume.durability === 'none') this.#folder.journal.flush()
      else this.#folder.journal.sync()
    } catch {
      // The records stay buffered; the next flush or the close tries again and reports.
    }
  }

  freeBytes(): number | undefined {
    return this.#folder.freeBytes()
  }

  outcomes(filter?: { readonly status?: 'ok' | 'failed' }): AsyncIterable<Outcome> {
    return this.#folder.journal.outcomes(filter)
  }

  #admitDone(task: DownloadTask, done: { readonly path: string; readonly lengthBytes: number }): Admission {
    const { onExists } = this.#options
    if (onExists === 'overwrite') {
      this.#folder.journal.forget(task.id)
      this.#journalName(task, done.path)
      return { admit: 'fetch', path: done.path, replace: true }
    }
    if (onExists === 'rename') {
      this.#folder.journal.forget(task.id)
      return { admit: 'fetch' }
    }
    const found = this.#folder.look(done.path)
    if (found?.isFile() && found.size === done.lengthBytes) {
      return { admit: 'skip', reason: 'finished-before', path: done.path, sizeBytes: done.lengthBytes }
    }
    // Removed or changed by somebody: what they made of it stays, ours comes anew.
    this.#folder.journal.forget(task.id)
    if (!found) this.#folder.names.release(done.path)
    return { admit: 'fetch' }
  }

  #partFiles(): PartFiles {
    const folder = this.#folder
    return {
      folder: folder.partsFolder,
      durability: folder.volume.durability,
      claim(task) {
        if (folder.isBusy(task.id)) throw busy(task)
        folder.claimPart(task.id)
      },
      release: (task) => folder.releasePart(task.id),
      remove: (task) => folder.removePart(task.id),
      mayRefuse: (task) => this.#mayRefuse(task),
    }
  }

  #mayRefuse(task: DownloadTask): boolean {
    const { onExists, maxSizeBytes, minSizeBytes, nameOf } = this.#options
    if (maxSizeBytes !== undefined || minSizeBytes !== undefined) return true
    if (onExists === 'overwrite' || onExists === 'rename') return false
    if (this.#folder.journal.state(task.id) !== undefined) return false
    try {
      const path = nameOf(task, undefined)
      // Where only the answer tells the name, a file of a stranger is found after the bytes have come.
      return path !== undefined && this.#folder.lookForStranger(path) !== undefined
    } catch {
      return false
    }
  }

  /** Gives a task its name, or finds that the very file is there already. */
  #name(task: DownloadTask, facts: EntityFacts): { readonly path: string; readonly skip?: boolean } {
    const wanted = this.#options.nameOf(task, facts)
    if (wanted === undefined)
      throw new TrawlError('ERR_INTERNAL', 'no name for a file whose headers are known')
    for (let path = this.#folder.names.claim(wanted); ; path = this.#folder.names.claim(wanted)) {
      const found = this.#folder.lookForStranger(path)
      if (!found) return { path }
      const { onExists } = this.#options
      if (found.isDirectory()) {
        throw new TrawlError('ERR_IS_DIRECTORY', `${path} is a folder`, { context: { path } })
      }
      if (onExists === 'overwrite') return { path }
      if (onExists === 'skip' || (onExists === 'resume' && isSameFile(found, facts)))
        return { path, skip: true }
      if (onExists === 'error') {
        throw new TrawlError('ERR_EXISTS', `${path} exists`, { context: { path } })
      }
    }
  }

  #unnamedRequest(task: DownloadTask): TaskRequest | undefined {
    const { template } = this.#options
    const request = taskRequest(task)
    if (template === undefined || task.target.path !== undefined) return request
    return { ...request, target: { template, ...task.target } }
  }

  #journalName(task: DownloadTask, path: string): void {
    const request = taskRequest(task)
    this.#folder.journal.named({
      id: task.id,
      ordinal: task.ordinal,
      path,
      input: describeLocator(task.locator),
      ...(request ? { request } : {}),
    })
  }

  #rename(request: CommitRequest): string {
    const path = this.#folder.names.claim(request.path)
    this.#places.set(path, siblingOf(this.#placed(request.path), path))
    return path
  }

  #placed(path: string): string {
    const placed = this.#places.get(path) ?? this.#folder.placed(path)
    if (placed === undefined) throw new TrawlError('ERR_INTERNAL', `the folder of ${path} was not made`)
    return placed
  }

  #refuse(task: DownloadTask, facts: EntityFacts): void {
    const { maxSizeBytes, minSizeBytes, acceptHtml } = this.#options.bodyLimitsOf?.(task) ?? this.#options
    const length = facts.lengthBytes
    if (length !== undefined && maxSizeBytes !== undefined && length > maxSizeBytes) {
      throw new TrawlError('ERR_TOO_LARGE', `the file has ${length} bytes, allowed are ${maxSizeBytes}`)
    }
    if (length !== undefined && minSizeBytes !== undefined && length < minSizeBytes) {
      throw new TrawlError(
        'ERR_TOO_LARGE',
        `the file has ${length} bytes, wanted are at least ${minSizeBytes}`,
      )
    }
    if (!acceptHtml && isUnexpectedHtml(describeLocator(task.locator), facts)) {
      throw new TrawlError('ERR_CONTENT_UNEXPECTED', 'the server sent an HTML page instead of the file', {
        context: { url: facts.url },
      })
    }
  }
}

function busy(task: DownloadTask): TrawlError {
  return new TrawlError('ERR_LOCKED', 'another job is fetching this very file into the same folder', {
    scope: 'task',
    retry: 'backoff',
    hint: 'Nothing to do: trawl looks again.',
    context: { url: describeLocator(task.locator) },
  })
}

/** What is worth keeping of a file's facts: what goes without saying is left out, since millions may be kept. */
function recordedFacts(task: DownloadTask, staged: StagedTransfer, outcome: CommitFacts): FileFacts {
  const { facts } = staged
  const kept: { -readonly [K in keyof FileFacts]: FileFacts[K] } = {
    durationMs: Math.round(outcome.durationMs),
  }
  if (facts.url !== undefined && facts.url !== describeLocator(task.locator)) kept.url = facts.url
  if (facts.validators !== undefined) kept.validators = facts.validators
  if (facts.contentType !== undefined) kept.contentType = facts.contentType
  if (facts.digest !== undefined) kept.digest = facts.digest
  if (facts.unverifiedLength) kept.unverifiedLength = true
  if (outcome.attempts !== 1) kept.attempts = outcome.attempts
  if (outcome.fetchedBytes !== staged.lengthBytes) kept.fetchedBytes = outcome.fetchedBytes
  return kept
}

/** Same length and the modification time that the server tells: the validator a file of a stranger has. */
function isSameFile(found: { readonly size: number; readonly mtimeMs: number }, facts: EntityFacts): boolean {
  const modifiedS = modifiedSeconds(facts.validators)
  return (
    facts.lengthBytes === found.size &&
    modifiedS !== undefined &&
    Math.floor(found.mtimeMs / 1000) === modifiedS
  )
}

function modifiedSeconds(validators: Validators | undefined): number | undefined {
  const ms = parseHttpDate(validators?.lastModified)
  return ms === undefined ? undefined : Math.floor(ms / 1000)
}

const htmlNames = /\.(?:x?html?|php|aspx?|jsp|cgi)$|\/$/i

/** HTML where the address promises something else: a log-in page or an error told with 200. */
function isUnexpectedHtml(url: string, facts: EntityFacts): boolean {
  if (!facts.contentType?.startsWith('text/html')) return false
  const path = url.replace(/[?#].*$/, '').replace(/^[a-z]+:\/\/[^/]*/i, '')
  return /\.[a-z0-9]{1,8}$/i.test(path) && !htmlNames.test(path)
}

function siblingOf(absolute: string, path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1)
  return absolute.slice(0, absolute.lastIndexOf('/') + 1) + name
}

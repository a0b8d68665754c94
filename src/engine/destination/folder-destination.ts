import { describeLocator, TrawlError, type DownloadTask, type Outcome } from '../../core/index.ts'
import type { OutputFolder, ReplacedFile, Sink } from '../../storage/index.ts'
import { crcOfFile } from '../reuse/copy-found.ts'
import { factsOfFound, otherThanFound, stagedCopy, withoutEnds } from '../reuse/found-copy.ts'
import { FoundFiles } from '../reuse/found-files.ts'
import type { EntityFacts, EntityVerdict, KeptBytes, StagedTransfer } from '../transfer/transfer.ts'
import type { PartFiles } from '../remote/part-files.ts'
import { refuseBody } from './body-limits.ts'
import { Committer, type CommitRequest } from './committer.ts'
import type { Admission, CommitFacts, Destination, NamedTask } from './destination.ts'
import { passesFilter } from './entity-filter.ts'
import type { FoundFile, Settled } from './found-file.ts'
import { modifiedSeconds, recordedFacts } from './file-facts.ts'
import { FileNamer } from './file-namer.ts'
import type { FolderDestinationOptions } from './folder-destination-options.ts'
import { isFilteredOut, LimitedSink } from './limited-sink.ts'
import { recoverCommits, type Recovery } from './recover.ts'
import { sameVersion } from './same-version.ts'
import { TaskAdmissions } from './task-admissions.ts'

/** Files in an output folder, named once, journaled, and committed in groups. */
export class FolderDestination implements Destination {
  /** What a former run left behind, and what was done about it when this one began. */
  readonly recovery: Recovery
  readonly parts: PartFiles
  readonly #options: FolderDestinationOptions
  readonly #folder: OutputFolder
  readonly #committer: Committer
  readonly #places = new Map<string, string>()
  readonly #found: FoundFiles | undefined
  readonly #namer: FileNamer
  readonly #admissions: TaskAdmissions

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
      onCommitted: () => this.#folder.safePoints.note(journal.lengthBytes),
    })
    this.recovery = recoverCommits(options.folder)
    this.parts = this.#partFiles()
    this.#found = options.reuse && new FoundFiles(options.reuse)
    this.#namer = new FileNamer(options)
    this.#admissions = new TaskAdmissions(options, { namer: this.#namer, found: this.#found })
  }

  admit(task: DownloadTask): Admission {
    return this.#admissions.admit(task)
  }

  entity(
    named: NamedTask,
    facts: EntityFacts,
  ): EntityVerdict & { readonly path?: string; readonly found?: FoundFile } {
    const diverted = this.#options.divert?.(named.task, facts)
    if (diverted) return { verdict: 'skip', reason: diverted }
    const { filterOf } = this.#options
    if (filterOf && !passesFilter(filterOf(named.task), facts)) return { verdict: 'skip', reason: 'filtered' }
    refuseBody(this.#options.bodyLimitsOf?.(named.task) ?? this.#options, named.task, facts)
    const { id } = named.task
    if (this.#folder.isBusy(id)) throw busy(named.task)
    const done = this.#folder.journal.doneFile(id)
    if (done) {
      // Unless its origin was asked about it, another job has fetched it while this one waited.
      if (!named.replaces) return { verdict: 'skip', reason: 'finished-before', path: done.path }
      if (named.found && sameVersion(named.found, facts) !== 'no')
        return { verdict: 'skip', reason: 'not-modified', path: done.path }
      this.#namer.note(named.task, done.path, named.replaces)
      return { verdict: 'go', sink: this.#sink(named.task, facts), path: done.path }
    }
    let path = named.path
    if (path === undefined) {
      const settled = this.#namer.name(named.task, facts)
      if (settled.skip) return { verdict: 'skip', reason: 'exists', path: settled.path }
      path = settled.path
      this.#namer.note(named.task, path)
      const found = this.#found?.atAnswer(named.task, named.found, facts)
      if (found) return { verdict: 'skip', reason: 'reused', path, found }
    }
    return { verdict: 'go', sink: this.#sink(named.task, facts), path }
  }

  settle(named: NamedTask & { readonly found: FoundFile }, outcome: CommitFacts): Promise<Settled> {
    const { found } = named
    if (found.where === 'own') {
      const done = this.#folder.journal.doneFile(named.task.id)
      const path = done?.path ?? named.path ?? ''
      return Promise.resolve({
        settled: 'skip',
        reason: 'not-modified',
        path,
        sizeBytes: found.lengthBytes,
      })
    }
    return this.#take(named, found, outcome)
  }

  commit(named: NamedTask, staged: StagedTransfer, outcome: CommitFacts): Promise<string> {
    const { path } = named
    if (path === undefined) {
      return Promise.reject(new TrawlError('ERR_INTERNAL', 'a file without a name was to be committed'))
    }
    if (named.found?.proof === 'sample' && named.found.crc32 !== staged.crc32)
      return Promise.reject(otherThanFound(named.found))
    if (named.replaces) return this.#commitInPlace(named, { path, replaces: named.replaces }, staged, outcome)
    return this.#commitAt(named, path, staged, outcome)
  }

  #commitAt(named: NamedTask, path: string, staged: StagedTransfer, outcome: CommitFacts): Promise<string> {
    if (this.#folder.placed(path) !== undefined) return this.#commitPlaced(named, path, staged, outcome)
    return this.#folder.place(path).then((absolute) => {
      this.#places.set(path, absolute)
      return this.#commitPlaced(named, path, staged, outcome).finally(() => this.#places.delete(path))
    })
  }

  /** In the place of a finished file of ours, where it is still that file; what somebody made of it stays. */
  async #commitInPlace(
    named: NamedTask,
    { path, replaces }: { readonly path: string; readonly replaces: ReplacedFile },
    staged: StagedTransfer,
    outcome: CommitFacts,
  ): Promise<string> {
    const stands = this.#folder.look(path)
    if (!stands) return this.#commitAt({ ...named, replace: false }, path, staged, outcome)
    const sum = stands.isFile()
      ? await crcOfFile(`${this.#folder.path}/${path}`, replaces.lengthBytes)
      : undefined
    if (sum === replaces.crc32) return this.#commitAt({ ...named, replace: true }, path, staged, outcome)
    const other = this.#folder.names.claim(path)
    this.#namer.note(named.task, other)
    return this.#commitAt({ ...named, replace: false, replaces: undefined }, other, staged, outcome)
  }

  #commitPlaced(
    named: NamedTask,
    path: string,
    staged: StagedTransfer,
    outcome: CommitFacts,
  ): Promise<string> {
    const replace = named.replace || this.#options.onExists === 'overwrite'
    const facts = recordedFacts(named.task, staged, outcome)
    const request: { -readonly [K in keyof CommitRequest]: CommitRequest[K] } = {
      id: named.task.id,
      staged,
      facts: replace ? { ...facts, replaces: named.replaces ?? 'any' } : facts,
      path,
      replace,
    }
    // Under a second name the time would be that of the first one too.
    const isLinked = named.found?.where === 'elsewhere' && this.#options.reuse?.asLink
    const takesTime = this.#options.remoteTime && !isLinked
    const modifiedS = takesTime ? modifiedSeconds(staged.facts.validators) : undefined
    if (modifiedS !== undefined) request.modifiedS = modifiedS
    return this.#committer.commit(request)
  }

  checkpoint(named: NamedTask, kept: KeptBytes): void {
    // Bytes of a copy whose ends are not compared yet are no download to go on from.
    if (named.found?.proof === 'sample') return
    this.#folder.journal.checkpoint({ id: named.task.id, ...kept })
    this.#folder.journal.flush()
  }

  failed(
    named: NamedTask,
    error: TrawlError,
    facts: { readonly attempts: number; readonly httpStatus?: number },
  ): void {
    const { journal, names } = this.#folder
    // A finished file whose origin did not answer is as finished as before.
    if (journal.state(named.task.id) === 'done') return
    if (isFilteredOut(error) && !named.replaces) {
      journal.forget(named.task.id)
      if (named.path !== undefined) names.release(named.path)
      return
    }
    const request = named.path === undefined ? this.#namer.unnamedRequest(named.task) : undefined
    journal.failed({
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

  /** Closes what was opened for looking. May be called once the run has ended. */
  close(): void {
    this.#options.reuse?.folders.close()
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
      mayRefuse: (task) => this.#admissions.mayRefuse(task),
    }
  }

  /** Copies what was found and gives it the name of the task, or prepares it for the comparison of its ends. */
  async #take(named: NamedTask, found: FoundFile, outcome: CommitFacts): Promise<Settled> {
    const { task } = named
    if (this.#folder.isBusy(task.id)) throw busy(task)
    let { path } = named
    if (path === undefined) {
      const name = this.#namer.name(task, factsOfFound(found, task))
      if (name.skip)
        return { settled: 'skip', reason: 'exists', path: name.path, sizeBytes: found.lengthBytes }
      path = name.path
      this.#namer.note(task, path)
      this.#folder.journal.flush()
    }
    const copied = await this.#found?.copy(found, this.#folder.partPath(task.id))
    if (!copied) return { settled: 'fetch', path }
    if (found.proof === 'sample') {
      return { settled: 'fetch', path, found: { ...found, crc32: copied.crc32 }, kept: withoutEnds(found) }
    }
    const staged = stagedCopy(found, copied, this.#folder.sink(task.id), outcome)
    try {
      const final = await this.commit({ ...named, path }, staged, outcome)
      const { lengthBytes: sizeBytes } = found
      const [digest] = copied.digests
      return {
        settled: 'skip',
        reason: 'reused',
        path: final,
        sizeBytes,
        savedBytes: sizeBytes,
        ...(digest ? { digest } : {}),
      }
    } catch (error) {
      staged.sink.abort({ discard: true })
      throw error
    }
  }

  #sink(task: DownloadTask, { lengthBytes }: EntityFacts): Sink {
    const sink = this.#folder.sink(task.id)
    const most = this.#options.filterOf?.(task).maxSizeBytes
    return most === undefined || lengthBytes !== undefined ? sink : new LimitedSink(sink, most)
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
}

function busy(task: DownloadTask): TrawlError {
  return new TrawlError('ERR_LOCKED', 'another job is fetching this very file into the same folder', {
    scope: 'task',
    retry: 'backoff',
    hint: 'Nothing to do: trawl looks again.',
    context: { url: describeLocator(task.locator) },
  })
}

function siblingOf(absolute: string, path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1)
  return absolute.slice(0, absolute.lastIndexOf('/') + 1) + name
}

import type { DownloadEventBody } from '../core/index.ts'
import { OutputFolder, type Durability } from '../storage/index.ts'

/** Output folders that jobs of this process have open: jobs of one folder share its journal and names. */
export class OpenFolders {
  readonly #open = new Map<string, { readonly folder: OutputFolder; users: number }>()

  /** Throws what opening an `OutputFolder` throws. */
  open(path: string, durability: Durability, emit: (event: DownloadEventBody) => void): OutputFolder {
    const known = this.#open.get(path)
    if (known) {
      known.users++
      return known.folder
    }
    const folder = new OutputFolder({
      path,
      durability,
      onDamage: (damage) => {
        const lost = damage.reduce((sum, each) => sum + each.lostBytes, 0)
        emit({
          type: 'job.notice',
          message: `the journal of ${path} was damaged in ${damage.length} places (${lost} bytes); the rest is used`,
        })
      },
    })
    this.#open.set(path, { folder, users: 1 })
    return folder
  }

  close(folder: OutputFolder): void {
    const known = this.#open.get(folder.path)
    if (!known) return
    known.users--
    if (known.users > 0) return
    this.#open.delete(folder.path)
    folder.close()
  }
}

import { folderChapters } from '../folder-chapters.ts'
import { comparePageNames } from '../natural-order.ts'
import type { PackReader, ReadPage } from '../pack-writer.ts'
import { isPageName } from '../page-name.ts'
import { openTar, type TarMember, type TarReader } from './tar-reader.ts'

/** Opens a tar (or CBT) of images: pages in natural order of their names. Throws ERR_PACK_DAMAGED, storage errors. */
export function openTarPack(path: string): PackReader {
  const tar = openTar(path)
  try {
    const members = [...tar.members()].filter((member) => isPageName(member.name))
    members.sort((a, b) => comparePageNames(a.name, b.name))
    return {
      format: 'tar',
      metadata: {},
      pages: () => tarPages(tar, members),
      close() {
        tar.close()
        return Promise.resolve()
      },
    }
  } catch (error) {
    tar.close()
    throw error
  }
}

// oxlint-disable-next-line require-await -- the interface of readers is asynchronous
async function* tarPages(tar: TarReader, members: readonly TarMember[]): AsyncGenerator<ReadPage> {
  const chapters = folderChapters(members.map((member) => member.name))
  for (const [index, member] of members.entries()) {
    const begin = chapters.get(index)
    yield {
      name: member.name,
      sizeBytes: member.sizeBytes,
      ...(begin ? { chapters: begin } : {}),
      read: () => Promise.resolve(tar.read(member)),
    }
  }
}

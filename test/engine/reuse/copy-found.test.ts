import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { copyFound } from '../../../src/engine/reuse/copy-found.ts'
import { FileSink, Volume } from '../../../src/storage/index.ts'
import { body } from '../../../src/testing/index.ts'
import { tempFolders } from '../../storage/temp-folder.ts'

const newFolder = tempFolders()
const file = body('found', 100_000).bytes()

test.each([
  [0o077, 0o755],
  [0o027, 0o600],
])(
  'with the mask %i a copy has the rights of a download, not those of what was found',
  async (mask, rights) => {
    const dir = newFolder()
    const [path, copy, download] = [join(dir, 'found'), join(dir, 'copy'), join(dir, 'download')]
    writeFileSync(path, file)
    chmodSync(path, rights)
    const before = process.umask(mask)
    try {
      const found = { where: 'elsewhere', proof: 'digest', path, lengthBytes: file.length } as const
      expect(await copyFound(found, copy, { asLink: false })).toBeDefined()
      const sink = new FileSink(download, new Volume({ durability: 'none' }))
      sink.open([], 1, 1)
      await sink.write(0, Buffer.from('x'), 1)
      await sink.checkpoint()
      sink.abort()
    } finally {
      process.umask(before)
    }
    expect(readFileSync(copy).equals(file)).toBe(true)
    const modeOf = (each: string): number => statSync(each).mode & 0o777
    expect([modeOf(copy), modeOf(download)]).toEqual([0o666 & ~mask, 0o666 & ~mask])
  },
)

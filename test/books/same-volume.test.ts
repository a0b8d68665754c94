import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createTrawl } from '../../src/session/index.ts'
import { describeWithVolumes } from '../small-volume.ts'
import { tempFolders } from '../storage/temp-folder.ts'
import { setPages, useBookOrigin } from './book-origin.ts'

const origin = useBookOrigin()
const newFolder = tempFolders()

describeWithVolumes('a book for another volume than that of its staging', (newVolume) => {
  test('gets its name there, in one piece, and is replaced there', async () => {
    const { path } = newVolume(4096)
    const dir = newFolder()
    const { list } = await setPages(origin, 3)
    const input = join(newFolder(), 'pages.txt')
    writeFileSync(input, list.text)
    const make = async (format: 'cbz' | 'folder', title: string): Promise<string> => {
      await using trawl = await createTrawl()
      const out = join(path, `book${format === 'cbz' ? '.cbz' : ''}`)
      const job = trawl.book([input], { dir, imageList: true, formats: [format], out, title })
      expect((await job.result).status).toBe('done')
      return out
    }
    const first = readFileSync(await make('cbz', 'One'))
    const second = readFileSync(await make('cbz', 'Two'))
    expect(second.equals(first)).toBe(false)
    expect(readdirSync(path)).toEqual(['book.cbz'])
    expect(readdirSync(await make('folder', 'One')).length).toBeGreaterThanOrEqual(3)
    expect(readdirSync(path).toSorted()).toEqual(['book', 'book.cbz'])
  })

  test('without room there: nothing is left but what is staged', async () => {
    const { path } = newVolume(4)
    const dir = newFolder()
    const { list } = await setPages(origin, 12)
    const input = join(newFolder(), 'pages.txt')
    writeFileSync(input, list.text)
    await using trawl = await createTrawl()
    const options = {
      dir,
      imageList: true,
      formats: ['cbz'],
      out: join(path, 'book.cbz'),
      spaceWaitMs: 0,
    } as const
    const { stats, error } = await trawl.book([input], options).result
    expect({ ...stats.failures, [error?.code ?? 'none']: 1 }).toHaveProperty('ERR_NO_SPACE')
    expect(readdirSync(path)).toEqual([])
    expect(existsSync(join(dir, '.trawl', 'staging'))).toBe(true)
  })
})

import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { StateDatabase, stateFileName } from '../../../src/storage/index.ts'
import { tempFolders } from '../temp-folder.ts'

const newFolder = tempFolders()
const entry = (host: string, ceiling: number, atWallMs: number) => ({ host, ceiling, atWallMs })

describe('ceilings of hosts', () => {
  test('are kept over openings; of two of a host the later one counts', () => {
    const folder = join(newFolder(), 'below', 'it')
    expect(StateDatabase.exists(folder)).toBe(false)
    const first = StateDatabase.open(folder)
    first.keepHostCeilings([entry('a', 8, 1000), entry('b', 3.7, 2000)], 0)
    first.close()
    const second = StateDatabase.open(folder)
    second.keepHostCeilings([entry('a', 9, 999), entry('b', 5, 3000)], 0)
    expect(second.hostCeilings(0)).toEqual([entry('a', 8, 1000), entry('b', 5, 3000)])
    expect(second.hostCeilings(1001)).toEqual([entry('b', 5, 3000)])
    second.keepHostCeilings([entry('c', 1, 4000)], 2500)
    expect(second.hostCeilings(0).map(({ host }) => host)).toEqual(['b', 'c'])
    second.close()
    expect(statSync(join(folder, stateFileName)).mode & 0o077).toBe(0)
  })

  test('are at most ten thousand, the latest', () => {
    using database = StateDatabase.open(newFolder())
    database.keepHostCeilings(
      Array.from({ length: 10_050 }, (_, n) => entry(`h${n}`, 4, n)),
      0,
    )
    const kept = database.hostCeilings(0)
    expect(kept).toHaveLength(10_000)
    expect(Math.min(...kept.map(({ atWallMs }) => atWallMs))).toBe(50)
  })

  test('are kept by several at once', () => {
    const folder = newFolder()
    using one = StateDatabase.open(folder)
    using two = StateDatabase.open(folder)
    one.keepHostCeilings([entry('a', 1, 1)], 0)
    two.keepHostCeilings([entry('b', 2, 2)], 0)
    expect(one.hostCeilings(0)).toEqual(two.hostCeilings(0))
    expect(one.hostCeilings(0)).toHaveLength(2)
  })
})

describe('a database that cannot be used', () => {
  test('of a newer version is refused, and not a byte of it changes', () => {
    const folder = newFolder()
    const path = join(folder, stateFileName)
    const newer = new DatabaseSync(path)
    newer.exec('create table other (x); pragma user_version = 99')
    newer.close()
    const before = readFileSync(path)
    expect(() => StateDatabase.open(folder)).toThrow(expect.objectContaining({ code: 'ERR_FORMAT_NEWER' }))
    expect(readFileSync(path).equals(before)).toBe(true)
  })

  test('that is no database is refused and left as it is', () => {
    const folder = newFolder()
    writeFileSync(join(folder, stateFileName), 'not a database, but long enough to look at'.repeat(50))
    expect(() => StateDatabase.open(folder)).toThrow(expect.objectContaining({ code: 'ERR_STATE_DATABASE' }))
    expect(readFileSync(join(folder, stateFileName), 'utf8')).toContain('not a database')
  })

  test('that another holds is waited for a moment only', () => {
    const folder = newFolder()
    using database = StateDatabase.open(folder)
    const other = new DatabaseSync(join(folder, stateFileName))
    other.exec('begin immediate')
    expect(() => database.keepHostCeilings([entry('a', 1, 1)], 0)).toThrow(/locked|busy/)
    other.exec('rollback')
    other.close()
    database.keepHostCeilings([entry('a', 1, 1)], 0)
    expect(database.hostCeilings(0)).toHaveLength(1)
  })

  test('where a folder stands in its place', () => {
    const folder = newFolder()
    mkdirSync(join(folder, stateFileName))
    expect(() => StateDatabase.open(folder)).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^ERR_/) }),
    )
  })
})

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ImagesAtWork } from '../../../src/datasets/job/images-at-work.ts'
import { tempFolder } from '../temp-folder.ts'

const newPath = (): string => join(tempFolder(), '00000.at-work')

describe('images at work', () => {
  test('what was at work when a process died is suspect', () => {
    const path = newPath()
    const images = new ImagesAtWork(path)
    expect(images.suspects).toEqual(new Set())
    const ends = [7, 0, 12].map((row) => images.begin(row))
    ends[0]?.()
    images.begin(3)
    // No close: the process is dead.
    expect(new ImagesAtWork(path).suspects).toEqual(new Set([0, 3, 12]))
  })

  test('suspects stay noted until they were worked on, over any number of deaths', () => {
    const path = newPath()
    const first = new ImagesAtWork(path)
    first.begin(5)
    first.begin(6)
    const second = new ImagesAtWork(path)
    second.begin(20)
    const third = new ImagesAtWork(path)
    expect(third.suspects).toEqual(new Set([5, 6, 20]))
    third.begin(6)()
    expect(new ImagesAtWork(path).suspects).toEqual(new Set([5, 20]))
  })

  test('nothing stays of a run that ended, but for suspects that had no turn', () => {
    const path = newPath()
    const images = new ImagesAtWork(path)
    images.begin(1)()
    images.close()
    images.close()
    expect(existsSync(path)).toBe(false)
    new ImagesAtWork(path).begin(2)
    const next = new ImagesAtWork(path)
    next.begin(9)()
    next.close()
    const last = new ImagesAtWork(path)
    expect(last.suspects).toEqual(new Set([2]))
    last.close({ remove: true })
    expect(existsSync(path)).toBe(false)
  })

  test('work that ends after the close writes nothing', () => {
    const path = newPath()
    const images = new ImagesAtWork(path)
    const end = images.begin(4)
    images.close({ remove: true })
    end()
    expect(existsSync(path)).toBe(false)
  })

  test('where it cannot be written the work goes on', () => {
    const images = new ImagesAtWork(join(tempFolder(), 'missing', '00000.at-work'))
    expect(() => images.begin(1)()).not.toThrow()
    expect(images.suspects).toEqual(new Set())
    images.close()
  })
})

import { expect, test } from 'vitest'
import type { DownloadEvent } from '../../src/core/index.ts'
import { createTrawl } from '../../src/session/index.ts'
import { tempFolders } from '../storage/temp-folder.ts'
import { setPages, useBookOrigin } from './book-origin.ts'

const origin = useBookOrigin()
const folder = tempFolders()

test('events, active items and commands know a page by one id', async () => {
  const { list, pages } = await setPages(origin, 2)
  let tries = 0
  origin.set('/p1.jpg', (_, response) => {
    if (tries++ === 0) response.writeHead(500).end()
    else response.writeHead(200, { 'content-type': 'image/jpeg' }).end(pages[0])
  })
  // Does not come to its end: the job is told to cancel it.
  origin.set('/p2.jpg', (_, response) => {
    response.writeHead(200, { 'content-type': 'image/jpeg', 'content-length': 9999 }).write('\u00FF\u00D8')
  })
  const trawl = await createTrawl()
  try {
    const job = trawl.book(list, { dir: folder(), retryDelayMs: 10 })
    const ids = new Map<string, string[]>()
    const told = (what: string, input: string, id: string): void => {
      const page = input.slice(input.lastIndexOf('/'))
      ids.set(page, [...(ids.get(page) ?? []), `${what} ${id}`])
    }
    const begun = new Promise<void>((resolve) => {
      job.onEvent((event: DownloadEvent) => {
        if (event.type === 'task.started') told('started', event.input, event.id)
        else if (event.type === 'task.retrying') told('retrying', event.input, event.id)
        else if (event.type === 'task.finished') told('finished', event.outcome.input, event.outcome.id)
        if (ids.get('/p1.jpg')?.length === 3 && ids.has('/p2.jpg')) resolve()
      })
    })
    await begun
    const [active] = job.activeItems(5)
    expect(ids.get('/p2.jpg')).toEqual([`started ${active?.id}`])
    await job.cancel({ id: active?.id ?? '' })
    await job.result
    expect(ids.get('/p2.jpg')).toEqual([`started ${active?.id}`, `finished ${active?.id}`])
    const [first, ...others] = (ids.get('/p1.jpg') ?? []).map((line) => line.split(' ')[1])
    expect(others).toHaveLength(2)
    expect(new Set(others)).toEqual(new Set([first]))
  } finally {
    await trawl.close()
  }
})

import { expect, test } from 'vitest'
import type { DownloadEvent } from '../../src/core/index.ts'
import { createTrawl } from '../../src/session/index.ts'
import { tempFolders } from '../storage/temp-folder.ts'
import { jpegPage, useBookOrigin } from './book-origin.ts'

const origin = useBookOrigin()
const folder = tempFolders()

test('a source that waits for a server says so, and ends when the job is drained', async () => {
  let isAsked = (): void => {}
  const asked = new Promise<void>((resolve) => (isAsked = resolve))
  origin.set('/gallery/', (_, response) => {
    response.writeHead(429, { 'retry-after': '1800' }).end()
    isAsked()
  })
  const trawl = await createTrawl()
  try {
    const job = trawl.book(`${origin.url}/gallery/`, { dir: folder() })
    const notices: string[] = []
    const told = new Promise<void>((resolve) => {
      job.onEvent((event: DownloadEvent) => {
        if (event.type !== 'job.notice') return
        notices.push(event.message)
        resolve()
      })
    })
    await asked
    await told
    expect(notices[0]).toMatch(/\/gallery\/: the server answered 429: slow down; try 2 in \d+m/)
    await job.cancel({ drain: true })
    expect(await job.result).toMatchObject({ status: 'cancelled', stats: { planned: 0 } })
    expect((await job.result).error).toBeUndefined()
  } finally {
    await trawl.close()
  }
})

test('when the next page of a gallery does not come, a drained job keeps the pages it has', async () => {
  origin.set('/1.jpg', await jpegPage(1, { width: 500, height: 700 }))
  origin.set('/2.jpg', await jpegPage(2, { width: 500, height: 700 }))
  origin.set(
    '/gallery/',
    '<main><img src="/1.jpg" width=500 height=700><img src="/2.jpg" width=500 height=700></main><a rel="next" href="/gallery/more/">next</a>',
  )
  origin.set('/gallery/more/', (_, response) => void response.writeHead(503, { 'retry-after': '1800' }).end())
  const dir = folder()
  const trawl = await createTrawl()
  try {
    const job = trawl.book(`${origin.url}/gallery/`, { dir })
    await new Promise<void>((resolve) => {
      let ended = 0
      job.onEvent(({ type }) => {
        if (type === 'task.finished' || type === 'job.notice') ended++
        if (ended === 3) resolve()
      })
    })
    await job.cancel({ drain: true })
    const { status, stats } = await job.result
    expect(status).toBe('cancelled')
    expect(stats).toMatchObject({ planned: 2, ok: 2, failed: 0, unfinished: 0 })
  } finally {
    await trawl.close()
  }
  const requests = origin.requests.length
  origin.set('/gallery/more/', '<main><p>The end.</p></main>')
  const again = await createTrawl()
  try {
    const { status } = await again.book(`${origin.url}/gallery/`, { dir }).result
    expect(status).toBe('done')
  } finally {
    await again.close()
  }
  expect(origin.requests.slice(requests)).toEqual(['/gallery/', '/gallery/more/'])
})

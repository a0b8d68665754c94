import { readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { body } from '../../../src/testing/index.ts'
import { startApache, type Apache } from '../../apache.ts'
import { startNginx, type Nginx } from '../../nginx.ts'
import { describeWith } from '../../programs.ts'
import { startSquid } from '../../squid.ts'
import { EngineCase, task, type RunEnd } from '../engine-case.ts'

const file = body('real servers', 12 * 1024 * 1024 + 77)
const other = body('another version', file.sizeBytes)

interface Real {
  readonly url: string
  readonly www: string
}

/** What every server that gives parts must be good for. */
function rangesTests(server: () => Real): void {
  const put = (name: string, content = file, atS = 1_700_000_000): void => {
    writeFileSync(join(server().www, name), content.bytes())
    utimesSync(join(server().www, name), atS, atS)
  }
  const notices = (end: RunEnd): readonly (string | undefined)[] =>
    end.events.flatMap((event) => (event.type === 'job.notice' ? [event.error?.code] : []))

  test('a file in segments', async () => {
    put('whole.bin')
    await using sut = new EngineCase()
    const end = await sut.run([task(`${server().url}/whole.bin`, { split: 6 })])
    expect(end.outcomes).toMatchObject([{ status: 'ok', sizeBytes: file.sizeBytes, attempts: 1 }])
    expect(notices(end)).toEqual([])
    expect(readFileSync(join(sut.dir, 'whole.bin')).equals(file.bytes())).toBe(true)
  })

  test('a part is gone on with, or not, where the file changed meanwhile', async () => {
    for (const changes of [false, true]) {
      const name = changes ? 'changes.bin' : 'stays.bin'
      put(name)
      await using sut = new EngineCase()
      const running = sut.start([
        task(`${server().url}/${name}`, { split: 2, limitRateBps: 4 * 1024 * 1024 }),
      ])
      while (running.run.progress().doneBytes < 5 * 1024 * 1024) await new Promise((go) => setTimeout(go, 20))
      running.abort()
      expect((await running.end).outcomes).toMatchObject([{ status: 'unfinished' }])
      if (changes) put(name, other, 1_700_000_100)
      const end = await sut.run([task(`${server().url}/${name}`, { split: 2 })])
      expect(end.outcomes).toMatchObject([{ status: 'ok' }])
      const fetched = end.outcomes[0]?.fetchedBytes ?? 0
      if (!changes) expect(fetched).toBeLessThan(file.sizeBytes - 2 * 1024 * 1024)
      expect(notices(end)).toEqual(changes ? ['ERR_ENTITY_CHANGED'] : [])
      expect(readFileSync(join(sut.dir, name)).equals((changes ? other : file).bytes())).toBe(true)
    }
  })
}

describeWith(['nginx'], 'nginx', () => {
  let nginx: Nginx
  beforeAll(async () => {
    nginx = await startNginx(['', 'etag off;', 'max_ranges 0;'])
  })
  afterAll(() => nginx.close())
  rangesTests(() => ({ url: nginx.urls[0] ?? '', www: nginx.www }))

  test('with dates only, and without ranges', async () => {
    writeFileSync(join(nginx.www, 'odd.bin'), file.bytes())
    for (const url of nginx.urls.slice(1)) {
      await using sut = new EngineCase()
      const end = await sut.run([task(`${url}/odd.bin`, { split: 4 })])
      expect(end.outcomes).toMatchObject([{ status: 'ok', attempts: 1 }])
      expect(readFileSync(join(sut.dir, 'odd.bin')).equals(file.bytes())).toBe(true)
    }
  })
})

describeWith(['apache2'], 'Apache httpd', () => {
  let apache: Apache
  beforeAll(async () => {
    apache = await startApache('FileETag MTime Size')
  })
  afterAll(() => apache[Symbol.asyncDispose]())
  rangesTests(() => apache)
})

describeWith(['apache2'], 'Apache httpd without ETags and with an odd one', () => {
  test('dates decide; a tag of each process does not', async () => {
    for (const lines of ['FileETag None', 'FileETag INode MTime Size']) {
      await using apache = await startApache(lines)
      writeFileSync(join(apache.www, 'odd.bin'), file.bytes())
      await using sut = new EngineCase()
      const end = await sut.run([task(`${apache.url}/odd.bin`, { split: 4 })])
      expect(end.outcomes).toMatchObject([{ status: 'ok', attempts: 1 }])
      expect(readFileSync(join(sut.dir, 'odd.bin')).equals(file.bytes())).toBe(true)
    }
  })
})

describeWith(['nginx', 'squid'], 'squid in front of nginx', () => {
  test('a file in segments, fresh and from the cache, and the next version of it', async () => {
    await using nginx = await startNginx([''])
    await using squid = await startSquid()
    const url = `${nginx.urls[0]}/cached.bin`
    for (const content of [file, file, other]) {
      const atS = content === other ? 1_700_000_100 : 1_700_000_000
      writeFileSync(join(nginx.www, 'cached.bin'), content.bytes())
      utimesSync(join(nginx.www, 'cached.bin'), atS, atS)
      // The third round asks the cache to look anew; else it may give the old version, and rightly so.
      const headers = content === other ? { headers: { 'cache-control': 'no-cache' } } : {}
      await using sut = new EngineCase({ transport: { proxy: { http: squid.url } } })
      const end = await sut.run([task(url, { split: 4, ...headers })])
      expect(end.outcomes).toMatchObject([{ status: 'ok' }])
      expect(readFileSync(join(sut.dir, 'cached.bin')).equals(content.bytes())).toBe(true)
    }
  })
})

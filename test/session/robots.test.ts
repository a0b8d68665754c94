import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { batchDownload } from '../../src/session/index.ts'
import { body, bodyFrom, createFaultOrigin, respond, type FaultOrigin } from '../../src/testing/index.ts'

let origin: FaultOrigin
let dir: string

beforeEach(async () => {
  origin = await createFaultOrigin()
  dir = mkdtempSync(join(tmpdir(), 'trawl-robots-'))
  origin.route('/*', (request) => respond.whole(body(request.path, 1000))(request))
  origin.route('/robots.txt', respond.whole(bodyFrom('User-agent: *\nDisallow: /private/\n')))
})

afterEach(async () => {
  await origin.close()
  rmSync(dir, { recursive: true, force: true })
})

const paths = ['/a.bin', '/private/b.bin', '/c.bin']
const asked = (): string[] => origin.requests.map(({ path }) => path).toSorted()

test('a list heeds robots.txt where that is wanted: asked for once, and what is disallowed says so', async () => {
  const items = await batchDownload(
    paths.map((path) => origin.url + path),
    { dir, robots: 'on' },
  )
  expect(items.map(({ status, error }) => error?.code ?? status)).toEqual([
    'ok',
    'ERR_ROBOTS_DISALLOWED',
    'ok',
  ])
  expect(asked()).toEqual(['/a.bin', '/c.bin', '/robots.txt'])
})

test('nobody asks for it otherwise', async () => {
  const items = await batchDownload(
    paths.map((path) => origin.url + path),
    { dir },
  )
  expect(items.map(({ status }) => status)).toEqual(['ok', 'ok', 'ok'])
  expect(asked()).toEqual([...paths].toSorted())
})

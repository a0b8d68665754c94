import { spawn, type ChildProcess } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { htmlSource, type SourceContext, type SourceItem } from '../../../src/sources/index.ts'
import { addressOf, pagesOf } from '../../contract/source.ts'
import { describeWith } from '../../programs.ts'
import { recordedContext } from '../recorded-context.ts'

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const port = portOf(server.address())
  await new Promise((resolve) => server.close(resolve))
  return port
}

function portOf(address: string | AddressInfo | null): number {
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  return address.port
}

/** A context that really asks, for a server of this machine. */
function realContext(): SourceContext {
  return {
    ...recordedContext({}),
    async fetch(url) {
      const answer = await fetch(url)
      const bytes = Buffer.from(await answer.arrayBuffer())
      const headers = Object.fromEntries(answer.headers.entries())
      return { url: answer.url, status: answer.status, headers, bytes, text: bytes.toString('utf8') }
    },
  }
}

async function untilUp(url: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const up = await fetch(url).then(
      async (answer) => {
        await answer.arrayBuffer()
        return true
      },
      () => false,
    )
    if (up) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`${url} did not come up`)
}

interface Served {
  readonly program: string
  readonly args: (folder: string, port: number) => Promise<readonly string[]>
}

const servers: readonly Served[] = [
  {
    program: 'nginx',
    async args(folder, port) {
      const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
        (name) => `${name}_temp_path ${folder}/tmp;`,
      )
      const config = `daemon off; master_process off; pid ${folder}/pid; error_log stderr;
        events {} http { access_log off; ${temp.join(' ')}
        server { listen 127.0.0.1:${port}; root ${folder}/www; autoindex on; } }`
      await writeFile(join(folder, 'nginx.conf'), config)
      return ['-c', join(folder, 'nginx.conf'), '-p', folder]
    },
  },
  {
    program: 'python3',
    args: (folder, port) =>
      Promise.resolve([
        '-m',
        'http.server',
        String(port),
        '--bind',
        '127.0.0.1',
        '--directory',
        join(folder, 'www'),
      ]),
  },
]

for (const { program, args } of servers) {
  describeWith([program], `an open folder of ${program}`, () => {
    let folder = ''
    let base = ''
    let child: ChildProcess | undefined

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'trawl-autoindex-'))
      for (const name of [
        'page 10.jpg',
        'page 2.jpg',
        'page 1 & 3.png',
        'notes.txt',
        'b/x.jpg',
        'a#1/x.jpg',
      ]) {
        await mkdir(join(folder, 'www', name, '..'), { recursive: true })
        await writeFile(join(folder, 'www', name), 'x')
      }
      const port = await freePort()
      base = `http://127.0.0.1:${port}/`
      child = spawn(program, [...(await args(folder, port))], { stdio: 'ignore' })
      await untilUp(base)
    })

    afterAll(async () => {
      if (child !== undefined && child.exitCode === null) {
        const gone = new Promise((resolve) => child?.once('exit', resolve))
        child.kill()
        await gone
      }
      await rm(folder, { recursive: true, force: true })
    })

    it('is a gallery in natural order, its folders works of their own', async () => {
      const items: SourceItem[] = []
      for await (const item of htmlSource.extract({ text: base }, realContext())) items.push(item)
      const pages = pagesOf(items).map((page) =>
        decodeURIComponent(addressOf(page)?.slice(base.length) ?? ''),
      )
      expect(pages).toEqual(['page 1 & 3.png', 'page 2.jpg', 'page 10.jpg'])
      const links = items.flatMap((item) => (item.type === 'link' ? [item.title] : []))
      expect(links).toEqual(['a#1', 'b'])
    })
  })
}

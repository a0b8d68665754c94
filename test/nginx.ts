import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findProgram } from './programs.ts'

/** A running nginx of a test, on 127.0.0.1, with a folder of its own. */
export interface Nginx extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, one for each server block. */
  readonly urls: readonly string[]
  /** What it serves from. */
  readonly www: string
  close(): Promise<void>
}

/**
 * Starts nginx with a server block for each text, which goes into it after `listen` and `root`; `$www` in it is the
 * folder served, `$port0` and so on the ports.
 */
export async function startNginx(servers: readonly string[], http = ''): Promise<Nginx> {
  const folder = mkdtempSync(join(tmpdir(), 'trawl-nginx-'))
  const www = join(folder, 'www')
  for (const dir of ['www', 'tmp']) mkdirSync(join(folder, dir), { mode: 0o755 })
  const ports = await Promise.all(servers.map(freePort))
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${folder}/tmp;`)
    .join(' ')
  const blocks = servers.map((text, i) => {
    const own = ports.reduce((sofar, port, k) => sofar.replaceAll(`$port${k}`, String(port)), text)
    return `server { listen 127.0.0.1:${ports[i]}; root ${www}; ${own.replaceAll('$www', www)} }`
  })
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; master_process off; pid ${folder}/pid; error_log stderr;
     events {} http { access_log off; types { application/metalink4+xml meta4; } ${temp} ${http} ${blocks.join('\n')} }`,
  )
  const program = findProgram('nginx') ?? 'nginx'
  const child = spawn(program, ['-c', join(folder, 'nginx.conf'), '-p', folder], { stdio: 'ignore' })
  const urls = ports.map((port) => `http://127.0.0.1:${port}`)
  const close = async (): Promise<void> => {
    await ended(child)
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    for (const url of urls) await untilUp(url)
  } catch (error) {
    await close()
    throw error
  }
  return { urls, www, close, [Symbol.asyncDispose]: close }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  return address.port
}

function ended(child: ChildProcess): Promise<unknown> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    child.once('exit', resolve)
    child.kill('SIGKILL')
  })
}

async function untilUp(url: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const up = await fetch(url).then(
      async (answer) => (await answer.arrayBuffer(), true),
      () => false,
    )
    if (up) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`nginx did not come up at ${url}`)
}

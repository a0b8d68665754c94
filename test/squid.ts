import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findProgram } from './programs.ts'

/** A running squid of a test: a caching proxy on 127.0.0.1. */
export interface Squid extends AsyncDisposable {
  /** Its address as a proxy. */
  readonly url: string
}

/** Starts squid with a cache in memory that fetches whole files, also where a part was asked for. */
export async function startSquid(): Promise<Squid> {
  const folder = mkdtempSync(join(tmpdir(), 'trawl-squid-'))
  // Started by root, it works as another user.
  chmodSync(folder, 0o777)
  const port = await freePort()
  const config = join(folder, 'squid.conf')
  writeFileSync(
    config,
    `http_port 127.0.0.1:${port}
http_access allow all
cache_mem 128 MB
maximum_object_size_in_memory 64 MB
memory_cache_mode always
range_offset_limit none
quick_abort_min -1 KB
pid_filename none
access_log none
cache_log ${folder}/cache.log
cache_store_log none
coredump_dir ${folder}
shutdown_lifetime 0 seconds
netdb_filename none
pinger_enable off
`,
  )
  const child = spawn(findProgram('squid') ?? 'squid', ['-N', '-f', config], { stdio: 'ignore' })
  const exited = new Promise((resolve) => child.once('exit', resolve))
  const close = async (): Promise<void> => {
    child.kill('SIGTERM')
    await exited
    rmSync(folder, { recursive: true, force: true })
  }
  if (!(await isUp(port))) {
    await close()
    throw new Error('squid did not come up')
  }
  return { url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: close }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  return address.port
}

async function isUp(port: number): Promise<boolean> {
  for (let tries = 0; tries < 200; tries++) {
    const answered = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy()
        resolve(true)
      })
      socket.once('error', () => resolve(false))
    })
    if (answered) return true
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return false
}

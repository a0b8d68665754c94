import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { findProgram } from '../program.ts'
import { freePort, type Origin } from './origin.ts'

/** What nginx serves. */
export interface NginxOptions {
  /** Folder for its configuration and log. */
  readonly folder: string
  /** Folder whose files are served. */
  readonly root: string
  /** More lines of the `server` block, such as a `location`. */
  readonly serverLines?: string
}

const startAttempts = 100
const startPauseMs = 20

/**
 * Starts nginx on a free port: one worker, connections that last, no cache of open files, no log of requests. Throws
 * an `Error` where it is not installed or does not start.
 */
export async function startNginx(options: NginxOptions): Promise<Origin> {
  const program = findProgram('nginx')
  if (program === undefined) throw new Error('nginx is not installed; benchmarks use it as their origin')
  const port = await freePort()
  const folder = join(options.folder, 'nginx')
  mkdirSync(folder, { recursive: true })
  const config = join(folder, 'nginx.conf')
  const log = join(folder, 'error.log')
  writeFileSync(config, configText({ ...options, folder, port, log }))
  const child = spawn(program, ['-c', config, '-p', folder, '-e', log], { stdio: 'ignore' })
  const stop = (): void => void child.kill('SIGTERM')
  process.once('exit', stop)
  await waitUntilListening(child, port, log)
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      process.removeListener('exit', stop)
      if (child.exitCode !== null) return
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      await exited
    },
  }
}

function configText(
  options: NginxOptions & { readonly folder: string; readonly port: number; readonly log: string },
): string {
  // One process, of the same user: no master that could outlive its worker, or the other way round.
  return `daemon off;
master_process off;
pid ${options.folder}/nginx.pid;
error_log ${options.log} warn;
worker_rlimit_nofile 8192;
events { worker_connections 4096; }
http {
  types { application/octet-stream bin; }
  default_type application/octet-stream;
  access_log off;
  sendfile on;
  tcp_nopush on;
  tcp_nodelay on;
  keepalive_timeout 75s;
  keepalive_requests 100000000;
  open_file_cache off;
  client_body_temp_path ${options.folder}/body;
  proxy_temp_path ${options.folder}/proxy;
  fastcgi_temp_path ${options.folder}/fastcgi;
  uwsgi_temp_path ${options.folder}/uwsgi;
  scgi_temp_path ${options.folder}/scgi;
  server {
    listen 127.0.0.1:${options.port} backlog=4096;
    root ${options.root};
${options.serverLines ?? ''}
  }
}
`
}

async function waitUntilListening(child: ChildProcess, port: number, log: string): Promise<void> {
  for (let attempt = 0; attempt < startAttempts; attempt++) {
    if (child.exitCode !== null) throw new Error(`nginx did not start: ${readLog(log)}`)
    if (await accepts(port)) return
    await sleep(startPauseMs)
  }
  child.kill('SIGKILL')
  throw new Error(`nginx does not answer on port ${port}: ${readLog(log)}`)
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

function readLog(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    // It ended before it could open its log.
    return 'no message'
  }
}

import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startNginx, type Nginx } from './nginx.ts'

/** Debian's iipimage-server keeps its program outside of PATH. */
export const iipsrvProgram = '/usr/lib/iipimage-server/iipsrv.fcgi'

/** A IIIF image server over the TIFF files of its folder, at `URL/iiif/NAME.tif`. */
export interface Iipsrv extends AsyncDisposable {
  readonly url: string
  /** Of the images; what else lies here is served at `URL/`. */
  readonly www: string
}

/**
 * Starts iipsrv behind nginx. `env` sets what its manual names: `IIIF_VERSION`, `MAX_CVT` (longest side that it
 * answers), `BASE_URL`.
 */
export async function startIipsrv(env: Readonly<Record<string, string>> = {}): Promise<Iipsrv> {
  const folder = mkdtempSync(join(tmpdir(), 'trawl-iip-'))
  const socket = join(folder, 'socket')
  const pass = `fastcgi_pass unix:${socket}; fastcgi_param QUERY_STRING $query_string;
    fastcgi_param REQUEST_METHOD $request_method; fastcgi_param REQUEST_URI $request_uri;
    fastcgi_param SERVER_NAME $host; fastcgi_param SERVER_PORT $server_port; fastcgi_param HTTP_HOST $http_host;`
  const nginx = await startNginx([
    `location /iiif/ { rewrite ^/iiif/(.*)$ /fcgi?IIIF=$1 last; } location = /fcgi { internal; ${pass} }`,
  ])
  const child = spawn(iipsrvProgram, ['--bind', socket], {
    stdio: 'ignore',
    env: { FILESYSTEM_PREFIX: `${nginx.www}/`, LOGFILE: join(folder, 'log'), VERBOSITY: '0', ...env },
  })
  const dispose = async (): Promise<void> => {
    await ended(child)
    await nginx.close()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await untilListening(socket, child)
  } catch (error) {
    await dispose()
    throw error
  }
  return { url: urlOf(nginx), www: nginx.www, [Symbol.asyncDispose]: dispose }
}

function urlOf(nginx: Nginx): string {
  return nginx.urls[0] ?? ''
}

async function untilListening(socket: string, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 200 && child.exitCode === null; tries++) {
    if (existsSync(socket)) return
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  throw new Error('iipsrv did not come up')
}

function ended(child: ChildProcess): Promise<unknown> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    child.once('exit', resolve)
    child.kill('SIGKILL')
  })
}

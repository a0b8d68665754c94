import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findProgram } from './programs.ts'

/** A running Apache httpd of a test, on 127.0.0.1, with a folder of its own. */
export interface Apache extends AsyncDisposable {
  readonly url: string
  /** What it serves from. */
  readonly www: string
}

const moduleFolders = ['/usr/lib/apache2/modules', '/usr/lib64/httpd/modules', '/usr/libexec/apache2']
const modules = ['mpm_event', 'authz_core', 'dir', 'mime', 'headers', 'setenvif']

/** Starts Apache httpd with a server for the folder; `lines` go into its configuration. */
export async function startApache(lines = ''): Promise<Apache> {
  const folder = mkdtempSync(join(tmpdir(), 'trawl-apache-'))
  const www = join(folder, 'www')
  mkdirSync(www, { mode: 0o755 })
  const port = await freePort()
  const from = moduleFolders.find((each) => existsSync(each)) ?? ''
  const load = modules.flatMap((name) => {
    const path = join(from, `mod_${name}.so`)
    return existsSync(path) ? [`LoadModule ${name}_module ${path}`] : []
  })
  writeFileSync(join(folder, 'mime.types'), 'application/octet-stream bin\n')
  const config = join(folder, 'httpd.conf')
  writeFileSync(
    config,
    `${load.join('\n')}
ServerName localhost
ServerRoot ${folder}
Listen 127.0.0.1:${port}
PidFile ${folder}/pid
Mutex file:${folder}
TypesConfig ${folder}/mime.types
ErrorLog ${folder}/error.log
DocumentRoot ${www}
<Directory ${www}>
  Require all granted
</Directory>
${lines}
`,
  )
  const child = spawn(findProgram('apache2') ?? 'apache2', ['-f', config, '-X'], { stdio: 'ignore' })
  const url = `http://127.0.0.1:${port}`
  const close = async (): Promise<void> => {
    await ended(child)
    rmSync(folder, { recursive: true, force: true })
  }
  if (!(await isUp(url))) {
    await close()
    throw new Error('Apache httpd did not come up')
  }
  return { url, www, [Symbol.asyncDispose]: close }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  return address.port
}

async function isUp(url: string): Promise<boolean> {
  for (let tries = 0; tries < 200; tries++) {
    const answered = await fetch(url).then(
      (answer) => answer.arrayBuffer().then(() => true),
      () => false,
    )
    if (answered) return true
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return false
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await exited
}

// `npm test`, `npm run demo` and `npm run bench` begin here, on whatever Node the machine has (14.18 or newer): installs
// and builds what is missing or out of date, then hands over to the Node that the project brings along.
// So nothing here may need a newer Node, nor any package.
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const bin = join(root, 'node_modules', '.bin')

const libcOfSystem = process.report.getReport().header.glibcVersionRuntime === undefined ? 'musl' : 'glibc'

/** What runs once everything stands: a script for Node, and its first arguments. */
const programs = {
  test: ['node_modules/vitest/vitest.mjs', 'run'],
  demo: ['demo/demo.ts'],
  bench: ['bench/run.ts'],
}

async function main(name, args) {
  const program = programs[name]
  if (program === undefined) {
    say(`usage: node scripts/bootstrap.mjs ${Object.keys(programs).join('|')}`)
    return 2
  }
  if (!isInstalled()) {
    const status = await install()
    if (status !== 0) return status
  }
  if (!hasOwnNode()) {
    say('the Node of the project is missing: npm was told not to run install scripts.')
    say('Run: npm rebuild node --ignore-scripts=false')
    return 3
  }
  if (!isBuilt()) {
    say('building')
    const status = await run('node', ['node_modules/tsdown/dist/run.mjs', '--logLevel', 'warn'], ownPath())
    if (status !== 0) return status
  }
  return run('node', [...program, ...args], ownPath())
}

/** True when node_modules holds the versions of the lock file, native packages of this system included. */
function isInstalled() {
  const wanted = readJson('package-lock.json').packages
  const there = readJson(join('node_modules', '.package-lock.json'))
  if (there === undefined) return false
  return Object.keys(wanted).every((path) => {
    if (path === '' || !isForThisSystem(wanted[path])) return true
    const found = there.packages[path]
    return found !== undefined && found.version === wanted[path].version
  })
}

/** Optional packages are wanted where they name this system: those are the native parts of others. */
function isForThisSystem({ optional, devOptional, os, cpu, libc = [libcOfSystem] }) {
  if (!optional && !devOptional) return true
  if (os === undefined || cpu === undefined) return false
  return os.includes(process.platform) && cpu.includes(process.arch) && libc.includes(libcOfSystem)
}

async function install() {
  const npmMajor = Number(/npm\/(\d+)/.exec(process.env.npm_config_user_agent ?? '')?.[1])
  if (npmMajor < 7) {
    say(`npm 7 or newer is needed, and this is npm ${npmMajor}. Run: npm install --global npm@8`)
    return 3
  }
  say('installing packages')
  // Not `npm ci`: it refuses a lock file that lacks the optional packages of other systems.
  const command = ['install', '--no-save', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']
  const status = await run('npm', command, hostPath())
  if (status !== 0 || isInstalled() || !hasOwnNode()) return status
  // npm left out native packages because the Node it ran on was too old for them. Now there is a newer one.
  return run('npm', command, ownPath())
}

function hasOwnNode() {
  return existsSync(join(bin, 'node'))
}

/** True when everything in dist/ is newer than everything it is made from. */
function isBuilt() {
  const made = ['cli.js', 'index.js', 'index.d.ts', 'testing.js', 'testing.d.ts'].map(
    (name) => `dist/${name}`,
  )
  if (!made.every((path) => existsSync(join(root, path)))) return false
  const oldest = Math.min(...made.map(modifiedMs))
  const sources = ['package.json', 'tsconfig.json', 'tsdown.config.ts', ...pathsBelow('src')]
  return sources.every((path) => modifiedMs(path) < oldest)
}

/** Files and folders: a folder's time tells of files that were removed. */
function pathsBelow(folder) {
  const entries = readdirSync(join(root, folder), { withFileTypes: true })
  return [
    folder,
    ...entries.flatMap((entry) => {
      const path = `${folder}/${entry.name}`
      return entry.isDirectory() ? pathsBelow(path) : [path]
    }),
  ]
}

function modifiedMs(path) {
  return statSync(join(root, path)).mtimeMs
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(join(root, path), 'utf8'))
  } catch {
    return undefined
  }
}

/** The search path with the project's own programs first. */
function ownPath() {
  return [bin, hostPath()].join(delimiter)
}

/** The search path without the project's own programs: npm must not run on a Node that it replaces. */
function hostPath() {
  const dirs = (process.env.PATH ?? '').split(delimiter)
  return dirs.filter((dir) => !dir.endsWith(join('node_modules', '.bin'))).join(delimiter)
}

/** Runs a program to its end and gives its exit code. Interrupts are for the program: it ends, then so do we. */
function run(command, args, path) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, PATH: path },
      shell: process.platform === 'win32',
    })
    // From a terminal an interrupt goes to the whole group, so the program has it already.
    const pass = (signal) => void (process.stdin.isTTY || child.kill(signal))
    const end = () => void child.kill('SIGTERM')
    process.on('SIGINT', pass).on('SIGTERM', end)
    const done = (status) => {
      process.off('SIGINT', pass).off('SIGTERM', end)
      resolve(status)
    }
    child.on('error', (error) => {
      say(error.code === 'ENOENT' ? `${command} is not on the PATH` : String(error))
      done(3)
    })
    child.on('exit', (code, signal) => done(code ?? 128 + constants.signals[signal]))
  })
}

function say(text) {
  process.stderr.write(`trawl: ${text}\n`)
}

async function start() {
  process.exitCode = await main(process.argv[2], process.argv.slice(3))
}

void start()

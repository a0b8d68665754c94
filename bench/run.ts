/**
 * Speed beside other programs: `node bench/run.ts NAME...`. See bench/README.md.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { benchRoot, emptyFolder, makeBenchFolder } from './bench-folder.ts'
import { takeBenchLock } from './bench-lock.ts'
import type { BenchSetting } from './benchmark.ts'
import { benchmarks, scripts } from './benchmarks.ts'
import { describeMachine, machineWarnings } from './machine.ts'
import type { TrawlPeer } from './peers/trawl.ts'
import { buildProgram, entryOf } from './program.ts'
import { formatTable, formatTargets, isMet, writeResult } from './report.ts'

const usage = `usage: node bench/run.ts NAME... [options] [-- flags of trawl]
  NAME            ${[...Object.keys(benchmarks), ...Object.keys(scripts)].join(', ')}
  --rounds N      runs of each program; medians are shown
  --scale F       part of the full work, such as 0.1
  --peers A,B     only programs whose name begins so; none for no peers
  --program DIR   use the program built there (bin/ beside dist/) instead of building this checkout
  --beside DIR    run the program built there too, as "before"
  --results DIR   where JSON goes (default: bench/results)
  --strict        exit with 1 when a target is missed`

const split = process.argv.indexOf('--', 2)
const ownArgs = process.argv.slice(2, split === -1 ? undefined : split)
const passedArgs = split === -1 ? [] : process.argv.slice(split + 1)

function readOptions() {
  const { values, positionals } = parseArgs({
    args: ownArgs,
    allowPositionals: true,
    options: {
      rounds: { type: 'string' },
      scale: { type: 'string', default: '1' },
      peers: { type: 'string' },
      program: { type: 'string' },
      beside: { type: 'string' },
      results: { type: 'string', default: join(import.meta.dirname, 'results') },
      strict: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const scale = Number(values.scale)
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds)
  if (!(scale > 0) || !Number.isFinite(scale)) throw new Error(`--scale ${values.scale} is no number above 0`)
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0)) {
    throw new Error(`--rounds ${values.rounds} is no whole number above 0`)
  }
  const unknown = positionals.filter((name) => !(name in benchmarks) && !(name in scripts))
  if (unknown.length > 0) throw new Error(`there is no benchmark ${unknown.join(', ')}`)
  return { ...values, scale, rounds, names: positionals }
}

type Options = ReturnType<typeof readOptions>

async function main(): Promise<number> {
  let options: Options
  try {
    options = readOptions()
  } catch (error) {
    say(`bench: ${error instanceof Error ? error.message : String(error)}\n${usage}`)
    return 2
  }
  if (options.help || options.names.length === 0) {
    say(usage)
    return options.help ? 0 : 2
  }
  if (process.platform !== 'linux') {
    say('bench: Linux is needed: processor time and memory are read from /proc')
    return 2
  }
  const release = takeBenchLock()
  process.once('exit', release)
  const folder = makeBenchFolder()
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130))
  return runAll(options, folder)
}

async function runAll(options: Options, folder: string): Promise<number> {
  let failed = false
  let trawls: readonly [TrawlPeer, ...TrawlPeer[]] | undefined
  for (const name of options.names) {
    if (name in scripts) {
      failed = (await runScript(name)) !== 0 || failed
      continue
    }
    trawls ??= prepareTrawls(options, folder)
    failed = !(await runBenchmark(name, options, { folder, trawls })) || failed
  }
  return failed ? 1 : 0
}

function prepareTrawls(options: Options, folder: string): readonly [TrawlPeer, ...TrawlPeer[]] {
  if (options.program === undefined) say('building this checkout ...')
  const entry =
    options.program === undefined ? buildProgram(join(folder, 'program')) : entryOf(resolve(options.program))
  const ours: TrawlPeer = { name: 'trawl', entry, args: passedArgs }
  if (options.beside === undefined) return [ours]
  return [ours, { name: 'before', entry: entryOf(resolve(options.beside)), args: passedArgs }]
}

async function runBenchmark(
  name: string,
  options: Options,
  place: { readonly folder: string; readonly trawls: BenchSetting['trawls'] },
): Promise<boolean> {
  const benchmark = await benchmarks[name]?.()
  if (benchmark === undefined) throw new Error(`there is no benchmark ${name}`)
  const machine = describeMachine(benchRoot().inMemory)
  say(`\n${name}: ${benchmark.title}${options.scale === 1 ? '' : `, scale ${options.scale}`}`)
  for (const warning of machineWarnings(machine)) say(`  warning: ${warning}`)
  const folder = emptyFolder(place.folder, name)
  const home = join(place.folder, 'home')
  mkdirSync(home, { recursive: true })
  const report = await benchmark.run({
    folder,
    trawls: place.trawls,
    rounds: options.rounds,
    scale: options.scale,
    peers: options.peers?.split(','),
    // Nothing of the user's: no configuration files, no proxies.
    env: { PATH: process.env['PATH'] ?? '', HOME: home, LANG: 'C.UTF-8' },
    say,
  })
  rmSync(folder, { recursive: true, force: true })
  say(`\n${formatTable(report)}\n\n${formatTargets(report.targets)}`)
  say(`  written to ${writeResult(options.results, { name, scale: options.scale, machine, report })}`)
  const ours = report.contenders[0]
  const right = ours?.runs.every((run) => run.fault === undefined) ?? false
  return right && (!options.strict || report.targets.every(isMet))
}

function runScript(name: string): Promise<number | null> {
  const path = join(import.meta.dirname, scripts[name] ?? '')
  if (!existsSync(path)) throw new Error(`${path} does not exist`)
  const child = spawn('node', [path, ...passedArgs], { stdio: 'inherit' })
  return new Promise((resolve, reject) => {
    child.once('error', reject).once('exit', resolve)
  })
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

try {
  process.exitCode = await main()
} catch (error) {
  say(`bench: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}

/**
 * `npm run demo`: starts a small web server on this machine, then runs the trawl command line against it, step by
 * step, and says where the results are. Nothing leaves this machine.
 */
import { spawn } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { body, bodyFrom, createFaultOrigin, faults, respond, withFaults } from '../src/testing/index.ts'
import type { Body, FaultOrigin, FileFacts } from '../src/testing/index.ts'
import { makeGallery, type Gallery } from './gallery.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const output = fileURLToPath(new URL('../demo-output', import.meta.url))

/** One thing that the demo shows: commands of trawl, and what they leave behind. */
interface Step {
  readonly title: string
  /** Makes what the step reads, and gives the command lines to run, without `trawl`. */
  prepare(site: Site): Promise<readonly (readonly string[])[]>
  /** Result to look at, below the output folder, and what it is. */
  readonly results: Readonly<Record<string, string>>
}

/** What the demo's web server serves. */
interface Site {
  readonly url: string
  readonly gallery: Gallery
  readonly archives: readonly string[]
}

const files: Step = {
  title: 'Files: a list of small pictures and a few large archives. The second run finds them all there.',
  async prepare({ url, gallery, archives }) {
    const pictures = [...gallery.pages, ...gallery.thumbnails].map(({ path }) => `${url}/gallery/${path}`)
    const list = [...archives.map((path) => `${url}${path}`), ...pictures]
    await writeFile(`${output}/list.txt`, `${list.join('\n')}\n`)
    const command = ['get', '-i', inOutput('list.txt'), '-d', inOutput('files'), '--name', '{path:folders}']
    const report = ['--report', inOutput('files.jsonl')]
    return [[...command, ...report], command]
  },
  results: { files: 'the files', 'files.jsonl': 'what happened to each of them' },
}

const book: Step = {
  title: 'A book: the pages behind the thumbnails of a web page, checked, in order, as PDF and as CBZ.',
  prepare: async ({ url }) => [['book', `${url}/gallery/`, '-f', 'pdf,cbz', '-d', inOutput('books')]],
  results: { 'books/Numbers.pdf': 'the book', 'books/Numbers.cbz': 'the same for comic readers' },
}

const dataset: Step = {
  title: 'A dataset: the images of a table, resized, as tar files with their captions.',
  async prepare({ url, gallery }) {
    const rows = gallery.pages.map(({ path }, index) => `${url}/gallery/${path},the number ${index + 1}`)
    await writeFile(`${output}/images.csv`, `url,caption\n${rows.join('\n')}\n`)
    const shape = ['--caption-col', 'caption', '--image-size', '128', '--output-format', 'webdataset']
    return [['dataset', inOutput('images.csv'), ...shape, '--shard-size', '8', '-d', inOutput('dataset')]]
  },
  results: { dataset: 'three shards and their metadata', 'dataset/report.html': 'what became of the rows' },
}

/** The steps in the order in which they run. */
const steps: readonly Step[] = [files, book, dataset]

const latencyMs = 40
const rateBps = 3 * 1024 * 1024
const totalRateBps = 16 * 1024 * 1024
const archiveBytes = 24 * 1024 * 1024

async function main(): Promise<number> {
  await rm(output, { recursive: true, force: true })
  await mkdir(output, { recursive: true })
  say('Drawing a gallery of 24 pages, and starting a web server on this machine ...')
  await using origin = await createFaultOrigin({ totalRateBps })
  const site = await furnish(origin)
  for (const step of steps) {
    say(`\n${step.title}`)
    for (const args of await step.prepare(site)) {
      say(`\n$ trawl ${args.join(' ')}`)
      const status = await runTrawl(args)
      if (status === 130) say('\nInterrupted. `npm run demo` starts over; the command above would go on.')
      if (status !== 0) return status
    }
  }
  say('\nLook at:')
  for (const [path, what] of steps.flatMap((step) => Object.entries(step.results))) {
    say(`  ${inOutput(path).padEnd(33)} ${what}`)
  }
  return 0
}

/** Puts everything on the server, as far away as servers are: each answer takes a while and comes at a limited speed. */
async function furnish(origin: FaultOrigin): Promise<Site> {
  const gallery = await makeGallery(24)
  const archives = ['/archives/north.zip', '/archives/south.zip', '/archives/islands.zip']
  const serve = (path: string, content: Body, facts: FileFacts): void =>
    origin.route(
      path,
      withFaults(respond.withRange(content, facts), faults.latency(latencyMs), faults.rate(rateBps)),
    )
  for (const { path, bytes } of [...gallery.pages, ...gallery.thumbnails]) {
    serve(`/gallery/${path}`, bodyFrom(bytes), { contentType: 'image/jpeg' })
  }
  origin.route('/gallery/', respond.html(gallery.html))
  for (const path of archives) serve(path, body(path, archiveBytes), { contentType: 'application/zip' })
  return { url: origin.url, gallery, archives }
}

/** Runs one command of trawl on this terminal and gives its exit code. Interrupts are for trawl: it ends, then so do we. */
function runTrawl(args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, no_proxy: '127.0.0.1', NO_PROXY: '127.0.0.1' }
    const child = spawn('node', ['bin/trawl.mjs', ...args], { cwd: root, env, stdio: 'inherit' })
    // From a terminal an interrupt goes to the whole group, so trawl has it already.
    const interrupt = (): void => void (process.stdin.isTTY || child.kill('SIGINT'))
    const end = (): void => void child.kill('SIGTERM')
    process.on('SIGINT', interrupt).on('SIGTERM', end)
    child.on('error', reject)
    child.on('exit', (code) => {
      process.off('SIGINT', interrupt).off('SIGTERM', end)
      resolve(code ?? 130)
    })
  })
}

/** A path in the output folder as a user would type it. */
function inOutput(path: string): string {
  return relative(root, `${output}/${path}`)
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

process.exitCode = await main()

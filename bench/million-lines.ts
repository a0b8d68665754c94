import { opendirSync, rmSync } from 'node:fs'
import { emptyFolder } from './bench-folder.ts'
import type { Benchmark, BenchReport, BenchSetting } from './benchmark.ts'
import { runInto, type ContenderRuns, type Run } from './compare.ts'
import type { Contender, UrlList } from './contender.ts'
import { checkCorpus, listCorpus, type Corpus } from './corpus.ts'
import { startNginx } from './origins/nginx.ts'
import { aria2cList } from './peers/aria2c.ts'
import { chosen } from './peers/chosen.ts'
import { curlList } from './peers/curl.ts'
import { trawlStdin } from './peers/trawl.ts'
import { wget2List } from './peers/wget2.ts'

const fullCount = 1_000_000
const parallel = 64
const fullTimeoutMs = 1_800_000
const filler = '.'.repeat(80)

/** A list of 1,000,000 lines on standard input; then once more, when all is done. */
export const millionLines: Benchmark = {
  title: 'a list of 1,000,000 lines on standard input, files of about 100 bytes; then the same again',
  async run(setting: BenchSetting): Promise<BenchReport> {
    const { folder } = setting
    const corpus = defineTinyFiles(Math.ceil(fullCount * setting.scale))
    // The answers are made, not read: a million files for the origin alone would fill the memory.
    const serverLines = `location /m/ { return 200 "$uri ${filler}\\n"; }
    location = /status { stub_status; }`
    const origin = await startNginx({ folder, root: emptyFolder(folder, 'files'), serverLines })
    try {
      const list = listCorpus(folder, corpus, `${origin.url}/m`)
      const found = new MillionRuns(setting, { corpus, url: origin.url })
      for (const contender of contendersOf(setting, list)) await found.run(contender)
      return found.report()
    } finally {
      await origin.close()
    }
  },
}

function contendersOf(setting: BenchSetting, list: UrlList): readonly Contender[] {
  return chosen(setting, (trawl) => trawlStdin(trawl, list), [
    curlList(list, parallel),
    wget2List(list, parallel),
    aria2cList(list, parallel),
  ])
}

function defineTinyFiles(count: number): Corpus {
  const size = tinyFile(0).length
  return { count, totalBytes: count * size, nameOf: tinyName, bytesOf: tinyFile, sizeOf: () => size }
}

function tinyName(index: number): string {
  return `${String(index).padStart(7, '0')}.bin`
}

function tinyFile(index: number): Buffer {
  return Buffer.from(`/m/${tinyName(index)} ${filler}\n`)
}

/** Runs contenders one after the other; ours a second time into the same folder. */
class MillionRuns {
  readonly #setting: BenchSetting
  readonly #corpus: Corpus
  readonly #url: string
  readonly #results: ContenderRuns[] = []
  readonly #facts: Record<string, { firstFileMs?: number; requests: number }> = {}

  constructor(setting: BenchSetting, work: { readonly corpus: Corpus; readonly url: string }) {
    this.#setting = setting
    this.#corpus = work.corpus
    this.#url = work.url
  }

  async run(contender: Contender): Promise<void> {
    const out = emptyFolder(this.#setting.folder, 'out')
    const first = await this.#runOnce(contender, out)
    const ours = this.#setting.trawls.some(({ name }) => contender.name.startsWith(name))
    if (ours && first.fault === undefined) {
      await this.#runOnce({ ...contender, name: `${contender.name}, again` }, out)
    }
    rmSync(out, { recursive: true, force: true })
  }

  report(): BenchReport {
    const [first, again] = this.#results
    const ours = this.#results[0]?.runs[0]
    const more = again?.name === `${first?.name}, again` ? again : undefined
    const second = more?.runs[0]
    const requests = more === undefined ? undefined : this.#facts[more.name]?.requests
    const firstFileMs = first === undefined ? undefined : this.#facts[first.name]?.firstFileMs
    return {
      work: { files: this.#corpus.count, bytes: this.#corpus.totalBytes },
      contenders: this.#results,
      targets: [
        { what: 'ms to the first file', value: firstFileMs, limit: 1000, sense: 'at most' },
        { what: 'peak memory, MB', value: megabytes(ours), limit: 300, sense: 'at most' },
        { what: 'peak memory of the second run, MB', value: megabytes(second), limit: 300, sense: 'at most' },
        { what: 'seconds of the second run', value: seconds(second), limit: 10, sense: 'at most' },
        { what: 'requests of the second run', value: requests, limit: 0, sense: 'at most' },
      ],
      facts: this.#facts,
    }
  }

  async #runOnce(contender: Contender, out: string): Promise<Run> {
    const { folder, env, scale, say } = this.#setting
    const before = await requestsOf(this.#url)
    const wasEmpty = !hasFile(out)
    let firstFileMs: number | undefined
    const run = await runInto(contender, out, {
      folder,
      env,
      round: 0,
      timeoutMs: Math.max(120_000, fullTimeoutMs * scale),
      check: (made) => checkCorpus(this.#corpus, made),
      onSample: (elapsedMs) => {
        if (wasEmpty && firstFileMs === undefined && hasFile(out)) firstFileMs = elapsedMs
      },
    })
    // The question itself is a request too.
    const requests = (await requestsOf(this.#url)) - before - 1
    this.#facts[contender.name] = { requests, ...(firstFileMs === undefined ? {} : { firstFileMs }) }
    this.#results.push({ name: contender.name, version: contender.version, runs: [run] })
    const took = `${(run.wallMs / 1000).toFixed(2)} s, CPU ${(run.cpuMs / 1000).toFixed(2)} s`
    say(`  ${contender.name.padEnd(18)} ${run.fault ?? took}, ${requests} requests`)
    return run
  }
}

/** Requests that nginx has answered so far (ngx_http_stub_status_module: the third number of the third line). */
async function requestsOf(url: string): Promise<number> {
  const response = await fetch(`${url}/status`)
  return Number(/\n ?\d+ \d+ (\d+)/.exec(await response.text())?.[1])
}

/** Whether a folder holds anything but what begins with a dot. Reads no further than that. */
function hasFile(folder: string): boolean {
  const entries = opendirSync(folder)
  try {
    for (let entry = entries.readSync(); entry !== null; entry = entries.readSync()) {
      if (!entry.name.startsWith('.')) return true
    }
    return false
  } finally {
    entries.closeSync()
  }
}

function megabytes(run: Run | undefined): number | undefined {
  return run === undefined ? undefined : run.peakRssBytes / 1e6
}

function seconds(run: Run | undefined): number | undefined {
  return run === undefined ? undefined : run.wallMs / 1000
}

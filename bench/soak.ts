import type { Benchmark, BenchReport, BenchSetting } from './benchmark.ts'
import { compare, type Run } from './compare.ts'
import { checkCorpus, defineCorpus, listCorpus } from './corpus.ts'
import { startFaultyOrigin, type FaultyOriginFacts } from './origins/faulty-origin.ts'
import { trawlList, type TrawlPeer } from './peers/trawl.ts'
import { median } from './ratios.ts'

const fullCount = 100_000
const meanBytes = 4000
const faultShare = 0.05
/** A shorter run says nothing about memory: code and buffers are still warming up. */
const growthMinWallMs = 30_000

/** 100,000 small files of which 5 % of the answers go wrong: all must arrive, in flat memory. No peer gets there. */
export const soak: Benchmark = {
  title: '100,000 files of about 4 kB from an origin of whose answers 5 % go wrong',
  async run(setting: BenchSetting): Promise<BenchReport> {
    const corpusOptions = { count: Math.ceil(fullCount * setting.scale), meanBytes }
    const corpus = defineCorpus(corpusOptions)
    const origin = await startFaultyOrigin({ corpus: corpusOptions, faultShare })
    const seen: Record<string, FaultyOriginFacts[]> = {}
    try {
      const list = listCorpus(setting.folder, corpus, origin.url)
      const contenders = await compare({
        ...setting,
        contenders: setting.trawls.map((trawl) => trawlList(impatient(trawl), list)),
        rounds: setting.rounds ?? 1,
        timeoutMs: 1_800_000,
        check: (out) => checkCorpus(corpus, out, corpus.count),
        onStart: async () => void (await origin.takeFacts()),
        onEnd: async ({ name }) => void (seen[name] ??= []).push(await origin.takeFacts()),
      })
      const runs = contenders[0]?.runs ?? []
      const right = runs.length === 0 ? 0 : runs.filter((run) => run.fault === undefined).length / runs.length
      return {
        work: { files: corpus.count, bytes: corpus.totalBytes },
        contenders,
        targets: [
          { what: 'runs with every byte right', value: right, limit: 1, sense: 'at least' },
          {
            what: 'memory late in the run of that before',
            value: growthOf(runs),
            limit: 1.1,
            sense: 'at most',
          },
        ],
        facts: { origin: seen },
      }
    } finally {
      await origin.close()
    }
  },
}

/** Stalls are part of the work: nobody wants to wait half a minute for each. */
function impatient(trawl: TrawlPeer): TrawlPeer {
  return { ...trawl, args: ['--timeout', '2s', ...trawl.args] }
}

/** Memory of the last quarter as a part of that of the second: by then caches and code are warm. */
function growthOf(runs: readonly Run[]): number | undefined {
  const growths = runs.map(({ rssBytes, wallMs }) => {
    if (wallMs < growthMinWallMs) return undefined
    const quarter = Math.floor(rssBytes.length / 4)
    const early = median(rssBytes.slice(quarter, quarter * 2))
    const late = median(rssBytes.slice(quarter * 3))
    return early === undefined || late === undefined ? undefined : late / early
  })
  return median(growths.filter((growth) => growth !== undefined))
}

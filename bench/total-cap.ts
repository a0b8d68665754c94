import type { Benchmark, BenchReport, BenchSetting } from './benchmark.ts'
import { compare } from './compare.ts'
import { checkCorpus, defineCorpus, listCorpus } from './corpus.ts'
import { startLimitedOrigin, type LimitedOriginFacts } from './origins/limited-origin.ts'
import { chosen } from './peers/chosen.ts'
import { curlList } from './peers/curl.ts'
import { trawlList } from './peers/trawl.ts'
import { median } from './ratios.ts'

const mib = 1024 ** 2
const fullCount = 600
const totalRateBps = 30 * mib
const connectionRateBps = 4 * mib
/** Seven connections reach 93 % of the total. */
const fewest = 8

/** An origin with 4 MiB/s for a connection and 30 MiB/s for all: more than 8 connections bring nothing. */
export const totalCap: Benchmark = {
  title: '600 files of about 2 MiB from an origin with 4 MiB/s a connection and 30 MiB/s in all',
  async run(setting: BenchSetting): Promise<BenchReport> {
    const corpusOptions = { count: Math.ceil(fullCount * setting.scale), meanBytes: 2 * mib }
    const corpus = defineCorpus(corpusOptions)
    const origin = await startLimitedOrigin({ corpus: corpusOptions, connectionRateBps, totalRateBps })
    const seen: Record<string, Settled[]> = {}
    try {
      const list = listCorpus(setting.folder, corpus, origin.url)
      const contenders = await compare({
        ...setting,
        contenders: chosen(setting, (trawl) => trawlList(trawl, list), [
          curlList(list, fewest),
          curlList(list, 50),
        ]),
        rounds: setting.rounds ?? 1,
        timeoutMs: 300_000,
        check: (out) => checkCorpus(corpus, out),
        onStart: async () => void (await origin.takeFacts()),
        onEnd: async ({ name }) => void (seen[name] ??= []).push(settled(await origin.takeFacts())),
      })
      const ours = seen[contenders[0]?.name ?? ''] ?? []
      const connections = median(ours.map((facts) => facts.requestsAtOnce))
      const share = median(ours.map((facts) => facts.shareOfTotal))
      return {
        work: { files: corpus.count, bytes: corpus.totalBytes },
        contenders,
        targets: [
          { what: 'requests at once in the second half', value: connections, limit: 10, sense: 'at most' },
          { what: 'part of the total rate in the second half', value: share, limit: 0.95, sense: 'at least' },
        ],
        facts: { fewestConnections: fewest, origin: seen },
      }
    } finally {
      await origin.close()
    }
  },
}

interface Settled {
  readonly requestsAtOnce: number
  readonly shareOfTotal: number
  readonly maxActive: number
  /** Requests at one time, every second of the run. */
  readonly everySecond: readonly number[]
}

/** Looks at the second half of a run, without its last tenth, in which the work runs out. */
function settled(facts: LimitedOriginFacts): Settled {
  const busy = facts.samples.filter((sample) => sample.active > 0)
  const late = busy.slice(Math.floor(busy.length * 0.5), Math.floor(busy.length * 0.9))
  const first = late[0]
  const last = late.at(-1)
  const elapsedMs = (last?.atMs ?? 0) - (first?.atMs ?? 0)
  const bytes = (last?.sentBytes ?? 0) - (first?.sentBytes ?? 0)
  return {
    requestsAtOnce: median(late.map((sample) => sample.active)) ?? 0,
    shareOfTotal: elapsedMs === 0 ? 0 : bytes / (elapsedMs / 1000) / totalRateBps,
    maxActive: facts.maxActive,
    everySecond: busy.filter((_, index) => index % 10 === 0).map((sample) => sample.active),
  }
}

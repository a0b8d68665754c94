import { join } from 'node:path'
import type { Benchmark, BenchReport, BenchSetting } from './benchmark.ts'
import { compare } from './compare.ts'
import { checkCorpus, defineCorpus, listCorpus, writeCorpus } from './corpus.ts'
import { startLateOrigin, type LateOriginFacts } from './origins/late-origin.ts'
import { aria2cList } from './peers/aria2c.ts'
import { chosen } from './peers/chosen.ts'
import { curlList } from './peers/curl.ts'
import { trawlList } from './peers/trawl.ts'
import { wget2List } from './peers/wget2.ts'
import { named, ratio } from './ratios.ts'

const fullCount = 3000
const delayMs = 60

/** 3,000 files from an origin that answers 60 ms late: who finds out how many to ask for at once? */
export const lateOrigin: Benchmark = {
  title: '3,000 files of about 12 kB from an origin that answers 60 ms late',
  async run(setting: BenchSetting): Promise<BenchReport> {
    const { folder, scale } = setting
    const corpus = defineCorpus({
      count: Math.ceil(fullCount * scale),
      meanBytes: 12_000,
    })
    const origin = await startLateOrigin({ root: writeCorpus(corpus, join(folder, 'files')), delayMs })
    const seen: Record<string, LateOriginFacts[]> = {}
    try {
      const list = listCorpus(folder, corpus, origin.url)
      const contenders = await compare({
        ...setting,
        contenders: chosen(setting, (trawl) => trawlList(trawl, list), [
          curlList(list, 50),
          curlList(list, 300),
          aria2cList(list, 50),
          wget2List(list, 50),
        ]),
        rounds: setting.rounds ?? 5,
        timeoutMs: 120_000,
        check: (out) => checkCorpus(corpus, out),
        onStart: async () => void (await origin.takeFacts()),
        onEnd: async ({ name }) => void (seen[name] ??= []).push(await origin.takeFacts()),
      })
      const [ours] = contenders
      const value = ratio(ours, named(contenders, 'curl -Z 50'), 'wallMs')
      return {
        work: { files: corpus.count, bytes: corpus.totalBytes },
        contenders,
        targets: [{ what: 'wall time of curl at its default of 50', value, limit: 0.6, sense: 'at most' }],
        facts: { origin: seen },
      }
    } finally {
      await origin.close()
    }
  },
}

import { join } from 'node:path'
import type { Benchmark, BenchReport, BenchSetting } from './benchmark.ts'
import { compare } from './compare.ts'
import { checkCorpus, defineCorpus, listCorpus, writeCorpus } from './corpus.ts'
import { startNginx } from './origins/nginx.ts'
import { chosen } from './peers/chosen.ts'
import { aria2cList } from './peers/aria2c.ts'
import { curlList } from './peers/curl.ts'
import { trawlList } from './peers/trawl.ts'
import { wget2List } from './peers/wget2.ts'
import { named, ratio } from './ratios.ts'

const fullCount = 30_000
const parallel = 64

/** 30,000 files of about 12 kB from nginx on loopback. */
export const smallFiles: Benchmark = {
  title: '30,000 files of about 12 kB from nginx on loopback',
  async run(setting: BenchSetting): Promise<BenchReport> {
    const { folder, scale } = setting
    const corpus = defineCorpus({
      count: Math.ceil(fullCount * scale),
      meanBytes: 12_000,
    })
    const origin = await startNginx({ folder, root: writeCorpus(corpus, join(folder, 'files')) })
    try {
      const list = listCorpus(folder, corpus, origin.url)
      const contenders = await compare({
        ...setting,
        contenders: chosen(setting, (trawl) => trawlList(trawl, list), [
          curlList(list, parallel),
          aria2cList(list, parallel),
          wget2List(list, parallel),
        ]),
        rounds: setting.rounds ?? 5,
        timeoutMs: 180_000,
        check: (out) => checkCorpus(corpus, out),
      })
      return {
        work: { files: corpus.count, bytes: corpus.totalBytes },
        contenders,
        targets: targetsOf(contenders),
      }
    } finally {
      await origin.close()
    }
  },
}

function targetsOf(contenders: BenchReport['contenders']): BenchReport['targets'] {
  const [ours] = contenders
  const curl = named(contenders, 'curl')
  const aria2 = named(contenders, 'aria2c')
  return [
    { what: 'wall time of curl', value: ratio(ours, curl, 'wallMs'), limit: 1.15, sense: 'at most' },
    { what: 'CPU time of curl', value: ratio(ours, curl, 'cpuMs'), limit: 1.3, sense: 'at most' },
    { what: 'times faster than aria2c', value: ratio(aria2, ours, 'wallMs'), limit: 2.6, sense: 'at least' },
  ]
}

import type { Benchmark, BenchReport, BenchSetting } from './benchmark.ts'
import { compare } from './compare.ts'
import { checkCorpus, defineCorpus, listCorpus } from './corpus.ts'
import {
  startLimitedOrigin,
  type LimitedOriginFacts,
  type LimitedOriginOptions,
} from './origins/limited-origin.ts'
import { chosen } from './peers/chosen.ts'
import { curlList } from './peers/curl.ts'
import { trawlList } from './peers/trawl.ts'
import { median, named, ratio } from './ratios.ts'

const fullCount = 10_000
const meanBytes = 12_000
const limit = 24
const serviceMs = 50

/** An origin that refuses what exceeds 24 requests at one time: it must be found without a storm of 429. */
export const collapse: Benchmark = {
  title: '10,000 files from an origin that takes 50 ms and answers more than 24 requests at once with 429',
  run: (setting) => runCollapse(setting, { serviceMs, refuseAbove: limit }),
}

/** An origin that gets slower with the square of what exceeds 24 requests at one time. */
export const slowCollapse: Benchmark = {
  title: '10,000 files from an origin that takes 50 ms, and ever longer above 24 requests at once',
  run: (setting) => runCollapse(setting, { serviceMs, slowAbove: limit }),
}

/** curl told of 24 shows the best that the origin gives. */
async function runCollapse(setting: BenchSetting, limits: LimitedOriginOptions): Promise<BenchReport> {
  const corpusOptions = { count: Math.ceil(fullCount * setting.scale), meanBytes }
  const corpus = defineCorpus(corpusOptions)
  const origin = await startLimitedOrigin({ ...limits, corpus: corpusOptions })
  const seen: Record<string, object[]> = {}
  const refusedShares: number[] = []
  try {
    const list = listCorpus(setting.folder, corpus, origin.url)
    const contenders = await compare({
      ...setting,
      contenders: chosen(setting, (trawl) => trawlList(trawl, list), [
        curlList(list, limit),
        // curl gives up on 429, so where they come only the right number can be compared.
        ...(limits.refuseAbove === undefined ? [curlList(list, 50)] : []),
      ]),
      rounds: setting.rounds ?? 1,
      timeoutMs: 300_000,
      check: (out) => checkCorpus(corpus, out),
      onStart: async () => void (await origin.takeFacts()),
      onEnd: async ({ name }) => {
        const facts = await origin.takeFacts()
        ;(seen[name] ??= []).push(summary(facts))
        if (name === setting.trawls[0].name) refusedShares.push(facts.refused / facts.requests)
      },
    })
    const best = ratio(named(contenders, `curl -Z ${limit}`), contenders[0], 'wallMs')
    const refused = median(refusedShares)
    return {
      work: { files: corpus.count, bytes: corpus.totalBytes },
      contenders,
      targets: [
        { what: 'part of the best speed', value: best, limit: 0.9, sense: 'at least' },
        ...(limits.refuseAbove === undefined
          ? []
          : [{ what: 'part of requests refused', value: refused, limit: 0.02, sense: 'at most' } as const]),
      ],
      facts: { origin: seen },
    }
  } finally {
    await origin.close()
  }
}

function summary(facts: LimitedOriginFacts): object {
  const { samples, ...counts } = facts
  const busy = samples.filter((sample) => sample.active > 0)
  return {
    ...counts,
    everySecond: busy.filter((_, index) => index % 10 === 0).map((sample) => sample.active),
  }
}
